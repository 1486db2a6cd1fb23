/** How loud a microphone is, from 0 to 1: the root mean square, on a scale of decibels as an ear has it. */

const QUIETEST = -60;
/** Times a second: smooth to look at, cheap to do. */
const RATE = 15;

export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, 1 - decibels / QUIETEST));
}

export class Meter {
  private readonly source: MediaStreamAudioSourceNode;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(context: AudioContext, track: MediaStreamTrack, heard: (level: number) => void) {
    const analyser = new AnalyserNode(context, { fftSize: 1024 });
    const samples = new Float32Array(analyser.fftSize);
    this.source = context.createMediaStreamSource(new MediaStream([track]));
    this.source.connect(analyser);
    this.timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      heard(loudness(samples));
    }, 1000 / RATE);
  }

  stop(): void {
    clearInterval(this.timer);
    this.source.disconnect();
  }
}
