import {defineConfig} from "@playwright/test";
import {OUTPUT} from "./stack.js";

// Chromium without its windows, which take a third of the time. It is told not to call anybody: without that it looks up its maker's hosts
// at every start.
const chromium = {
  executablePath: "/usr/bin/chromium-headless-shell",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

export default defineConfig({
  testDir: ".",
  outputDir: OUTPUT,
  // Each worker has a stack of its own: its functions and its Chromium keep a CPU busy.
  workers: 2,
  reporter: "list",
  timeout: 120_000,
  expect: {timeout: 15_000},
  forbidOnly: Boolean(process.env.CI),
  // `--update-snapshots` writes what Chromium writes; a missing one fails.
  updateSnapshots: "none",
  snapshotPathTemplate: "../../shared/src/language/{arg}{ext}",
  use: {
    browserName: "chromium",
    launchOptions: chromium,
    locale: "en",
    viewport: {width: 1000, height: 760},
    screenshot: "only-on-failure",
  },
});
