// Dead tokens are throttled by IP address, so this stack is for nobody else.

import {expect, SETTINGS, test} from "./harness.js";
import {choose, DEAD, VALIDATE} from "./stack.js";

const {LIMIT_BAD_TOKEN_PER_IP: _, ...settings} = SETTINGS;
test.use({settings});

test("after many dead links the page asks to wait", async ({page, stack, inspect}) => {
  // In a whole window of the limit no later than after twenty.
  let attempts = 0;
  while ((await stack.post(VALIDATE, {token: DEAD})).status !== 429) expect(attempts += 1).toBeLessThanOrEqual(41);
  await page.goto(choose(DEAD));
  await expect(page.locator("#text")).toContainText("Too many attempts");
  await expect(page.getByRole("link", {name: "Get a new link"}), "a new link is not throttled").toBeVisible();
  await inspect("choose-throttled");
});
