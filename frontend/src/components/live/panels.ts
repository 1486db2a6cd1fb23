export type PanelName = "whispers" | "rollCall" | "announcements" | "log";
