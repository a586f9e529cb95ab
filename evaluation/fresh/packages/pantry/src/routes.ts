import type { Page } from "./app.js";
import { about } from "./pages/about.js";

export const routes: Record<string, Page> = {
  "/about": about,
};
