import type { Page } from "../app.js";

export const about: Page = () => ({ status: 200, text: "What we eat, and what to buy for it." });
