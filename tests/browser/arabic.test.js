// Both pages and a mail in Arabic, from right to left.

import {expect, reply, send, status, test, WEAK} from "./harness.js";
import {FORGOT, linkIn} from "./stack.js";

const LANGUAGES = "ar-EG,ar;q=0.9,en;q=0.5";

// Playwright's `locale` sends one language only.
test.beforeEach(({page}) =>
  page.route("**", (route) => route.fallback({headers: {...route.request().headers(), "accept-language": LANGUAGES}})));

test("a reset in Arabic", async ({page, stack, inspect}) => {
  await page.goto(FORGOT);
  await expect(page.locator("main")).toHaveCSS("direction", "rtl");
  await inspect("forgot-ar");
  const email = await stack.account();
  await send(page.locator("#email"), email);
  await expect(page.locator("#text")).toContainText("إذا كان هناك حساب بهذا العنوان");
  await inspect("forgot-sent-ar");
  const [mail] = await stack.mails(email, 1);
  expect(mail.subject, "the language of the request").toBe("إعادة تعيين كلمة المرور لحسابك في Rekey");
  await page.goto(linkIn(mail));
  await page.locator("#password").fill(WEAK);
  await expect(page.locator("#status")).toContainText("سهلة التخمين");
  await inspect("choose-ar");
});

test("how long to wait is said in Arabic", async ({page}) => {
  await page.goto(FORGOT);
  await reply(page, FORGOT, {status: 429, headers: {"Retry-After": "150"}});
  await send(page.locator("#email"), "a@example.com");
  await expect(status(page)).toContainText("خلال 3 دقائق");
});
