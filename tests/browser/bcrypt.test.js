// The page "Choose a new password" where passwords are hashed with bcrypt, which takes 72 bytes.

import {callsOf, expect, SETTINGS, status, test} from "./harness.js";
import {CHOOSE} from "./stack.js";

test.use({settings: {...SETTINGS, PASSWORD_HASH: "bcrypt", BCRYPT_COST: "10"}});

const QUIET = "a quiet lamp, a post, a sofa and an unread newspaper on the window sill!";
const TOO_LONG = "This password is too long. Please choose a shorter one.";

test("a password over 72 bytes is refused at once, and 72 bytes are taken", async ({page, stack}) => {
  await page.goto(await stack.link());
  const field = page.getByLabel("New password");
  await expect(field).toHaveAttribute("passwordrules", "minlength: 15; maxlength: 72;");
  const calls = callsOf(page);
  for (const password of [`${QUIET}!`, QUIET.replace("post", "pöst"), "🎈".repeat(19), QUIET.repeat(2), "x".repeat(2000)]) {
    await field.fill(password);
    await expect(status(page)).toHaveText(TOO_LONG);
    await field.press("Enter");
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(status(page)).toHaveText(TOO_LONG);
  }
  expect(calls).toEqual([]);
  await field.fill(QUIET);
  await expect(status(page)).toHaveText("This password is good.");
  calls.length = 0;
  await field.press("Enter");
  await expect(page.locator("h1")).toHaveText("Password changed");
  expect(calls).toEqual([CHOOSE]);
});
