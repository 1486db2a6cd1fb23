export type PanelName = "captions" | "whispers" | "rollCall" | "announcements" | "log";
