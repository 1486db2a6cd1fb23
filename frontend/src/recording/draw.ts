/** Draws what is in sight of the lanes on a canvas. */

import type { Role } from "@/api/types";
import { ICONS } from "@/design/icons";

import { columns, gapsOf, MIX, ticksOf, within, type Break, type Lane, type Said, type Span } from "./lanes";

/** Heights, px. */
export const RULER = 30;
/** Of a lane: the least, and the most where there is room. */
export const LANE = 46;
export const LANE_MOST = 72;
/** Above and below what is in a lane. */
const PAD = 7;
const TICKS_APART = 96;
/** A narrower block is all of its colour, px. */
const LEAST = 7;
/** Loudness is told in even steps of dB, which alone draw a flat band. */
const CONTRAST = 1.7;

const TOKENS = ["surface", "surface-2", "surface-hover", "border", "border-strong", "text", "text-2", "text-3", "accent", "accent-soft", "ok", "ok-soft", "warn", "warn-soft", "violet", "violet-soft", "bad"] as const;
export type Colours = Record<(typeof TOKENS)[number], string> & { font: string };

export function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const found = Object.fromEntries(TOKENS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  return { ...found, font: style.fontFamily } as Colours;
}

type Tone = "accent" | "ok" | "warn" | "violet" | "mix";
/** The colour of a lane; those in charge stand out. */
export function toneOf(role: Role | null): "accent" | "ok" | "warn" {
  if (role === "owner" || role === "manager") return "accent";
  return role === "chair" ? "warn" : "ok";
}

export interface View {
  width: number;
  height: number;
  /** The moment at the left edge, and px per ms. */
  from: number;
  scale: number;
  /** The first lane in sight, and how far it is scrolled out; px. */
  first: number;
  offset: number;
  /** The height of a lane, px. */
  lane: number;
}

export interface Scene {
  lanes: Lane[];
  range: Span;
  peaks: ReadonlyMap<string, Uint8Array>;
  perSecond: number;
  /** The utterance that plays, the lane that is chosen, the utterance below the pointer. */
  playing: string | null;
  chosen: string | null;
  hovered: string | null;
  label: (moment: number) => string;
  /** Why there is nothing, and how long. */
  why: (gap: Break) => string;
}

const LOCK = new Path2D(ICONS.lock);
const hatches = new Map<string, CanvasPattern | null>();

/** Diagonal lines, in px of the screen. */
function hatch(context: CanvasRenderingContext2D, colour: string): CanvasPattern | string {
  if (!hatches.has(colour)) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const lines = tile.getContext("2d")!;
    lines.strokeStyle = colour;
    lines.lineWidth = 1;
    lines.beginPath();
    for (const shift of [-8, 0, 8]) {
      lines.moveTo(shift, 8);
      lines.lineTo(shift + 8, 0);
    }
    lines.stroke();
    hatches.set(colour, context.createPattern(tile, "repeat"));
  }
  return hatches.get(colour) ?? colour;
}

export function draw(context: CanvasRenderingContext2D, view: View, scene: Scene, colours: Colours): void {
  const { width, height, from, scale, first, offset, lane: high } = view;
  const seen: Span = { from, to: from + width / scale };
  const shown: Span = { from: Math.max(seen.from, scene.range.from), to: Math.max(scene.range.from, Math.min(seen.to, scene.range.to)) };
  const x = (moment: number) => (moment - from) * scale;
  context.clearRect(0, 0, width, height);

  const ticks = ticksOf(seen, scale, TICKS_APART);
  for (let index = first; index < scene.lanes.length; index += 1) {
    const top = RULER + (index - first) * high - offset;
    if (top > height) break;
    drawLane(scene.lanes[index]!, top);
  }
  drawRuler();

  function drawLane(lane: Lane, top: number): void {
    const tone = toneOf(lane.role);
    context.fillStyle = lane.key === scene.chosen ? colours["surface-2"] : colours.surface;
    context.fillRect(0, top, width, high);
    context.fillStyle = colours.border;
    for (const tick of ticks) context.fillRect(Math.round(x(tick)), top, 1, high);
    for (const gap of gapsOf(within(lane.parts, seen), shown)) {
      context.fillStyle = colours["surface-2"];
      context.fillRect(x(gap.from), top, (gap.to - gap.from) * scale, high);
      context.fillStyle = hatch(context, colours.border);
      context.fillRect(x(gap.from), top, (gap.to - gap.from) * scale, high);
    }
    for (const gap of within(lane.breaks, seen)) tell(gap, top);
    for (const part of within(lane.parts, seen)) {
      if (part.state === "erased" || part.state === "damaged") strike(part, top);
      else if (lane.key === MIX) wave(part.track, part.from, part, top, colours["text-3"]);
    }
    const whispers = new Set(lane.parts.filter(({ whisper }) => whisper).map(({ track }) => track));
    for (const said of within(lane.said, seen)) {
      if (lane.key !== MIX) block(said, top, whispers.has(said.track) ? "violet" : tone);
      // Its waveform says more, once there is one.
      else if (!scene.peaks.has(said.track)) block(said, top, "mix");
    }
    context.fillStyle = colours.border;
    context.fillRect(0, top + high - 1, width, 1);
  }

  /** Where there is room. */
  function tell(gap: Break, top: number): void {
    const text = scene.why(gap);
    context.font = `12px ${colours.font}`;
    const [left, right] = [Math.max(0, x(gap.from)), Math.min(width, x(gap.to))];
    const size = context.measureText(text).width + 12;
    if (size > right - left - 8) return;
    const middle = (left + right) / 2;
    context.fillStyle = colours["surface-2"];
    context.beginPath();
    context.roundRect(middle - size / 2, top + high / 2 - 10, size, 20, 4);
    context.fill();
    context.fillStyle = colours["text-3"];
    context.textBaseline = "middle";
    context.fillText(text, middle - size / 2 + 6, top + high / 2);
  }

  function strike(part: Span, top: number): void {
    context.strokeStyle = colours["border-strong"];
    context.setLineDash([3, 4]);
    context.beginPath();
    context.moveTo(Math.max(0, x(part.from)), top + high / 2);
    context.lineTo(Math.min(width, x(part.to)), top + high / 2);
    context.stroke();
    context.setLineDash([]);
  }

  function block(said: Said, top: number, tone: Tone): void {
    const [strong, soft] = tone === "mix" ? [colours["text-3"], colours["surface-hover"]] : [colours[tone], colours[`${tone}-soft`]];
    const left = x(said.from);
    // So that also the shortest can be hit.
    const size = Math.max(3, (said.to - said.from) * scale);
    const isPlaying = said.id === scene.playing;
    context.beginPath();
    context.roundRect(left, top + PAD, size, high - 2 * PAD - 1, Math.min(4, size / 2));
    context.fillStyle = said.audio === null ? colours["surface-hover"] : size > LEAST ? soft : strong;
    context.fill();
    const hasRoom = size > LEAST && said.audio !== null;
    if (hasRoom && scene.peaks.has(said.track)) wave(said.track, said.from - said.start, said, top, strong);
    else if (hasRoom) {
      // Without a waveform yet: a bar where it will be.
      context.fillStyle = strong;
      context.globalAlpha = 0.55;
      context.beginPath();
      context.roundRect(left + 3, top + high / 2 - 2.5, size - 6, 4, 2);
      context.fill();
      context.globalAlpha = 1;
    }
    if (isPlaying || said.id === scene.hovered) {
      context.beginPath();
      context.roundRect(left + 0.5, top + PAD + 0.5, Math.max(2, size - 1), high - 2 * PAD - 2, Math.min(4, size / 2));
      context.strokeStyle = strong;
      context.lineWidth = isPlaying ? 2 : 1;
      context.stroke();
      context.lineWidth = 1;
    }
    if (tone === "violet" && size > 30) lock(Math.max(left, 0) + 4, top + PAD + 3);
  }

  function lock(left: number, top: number): void {
    context.save();
    context.fillStyle = colours["violet-soft"];
    context.beginPath();
    context.roundRect(left - 2, top - 2, 16, 16, 4);
    context.fill();
    context.translate(left, top);
    context.scale(0.5, 0.5);
    context.strokeStyle = colours.violet;
    context.lineWidth = 2.4;
    context.stroke(LOCK);
    context.restore();
  }

  /** A stretch of a track that began then, as it seems from there: frames get lost. */
  function wave(track: string, began: number, span: Span, top: number, colour: string): void {
    const loud = scene.peaks.get(track);
    const [begins, ends] = [Math.max(span.from, seen.from), Math.min(span.to, seen.to)];
    if (ends <= begins) return;
    const middle = top + (high - 1) / 2;
    context.fillStyle = colour;
    if (!loud) {
      context.globalAlpha = 0.5;
      context.fillRect(x(begins), middle - 0.5, (ends - begins) * scale, 1);
      context.globalAlpha = 1;
      return;
    }
    // Bars of two px, so that it is seen as a waveform at every zoom; on a grid of the axis, so that they stand still when it scrolls.
    const bar = 3 / scale;
    const start = Math.floor((begins - began) / bar) * bar;
    const count = Math.max(1, Math.ceil((ends - began - start) / bar));
    const place = (ms: number) => (ms * scene.perSecond) / 1000;
    const room = (high - 2 * PAD - 7) / 2;
    const found = columns(loud, place(start), place(start + count * bar), count);
    const [leftmost, rightmost] = [x(begins) + 1, x(ends) - 1];
    for (let column = 0; column < count; column += 1) {
      const left = Math.max(leftmost, x(began + start + column * bar));
      const size = Math.max(0.7, (found[column]! / 255) ** CONTRAST * room);
      const wide = Math.min(2, rightmost - left);
      if (wide > 0) context.fillRect(left, middle - size, wide, 2 * size);
    }
  }

  function drawRuler(): void {
    context.fillStyle = colours.surface;
    context.fillRect(0, 0, width, RULER);
    context.fillStyle = colours["border-strong"];
    context.fillRect(0, RULER - 1, width, 1);
    context.font = `12px ${colours.font}`;
    context.textBaseline = "middle";
    for (const tick of ticks) {
      context.fillStyle = colours["border-strong"];
      context.fillRect(Math.round(x(tick)), RULER - 8, 1, 8);
      context.fillStyle = colours["text-3"];
      context.fillText(scene.label(tick), Math.round(x(tick)) + 5, RULER / 2 - 1);
    }
  }
}
