// The local stack's inbox.

import {expect, test} from "./harness.js";

test("the inbox shows the mails", async ({page, stack, inspect}) => {
  await fetch(`${stack.mail}/messages`, {method: "DELETE"});
  await stack.link(undefined, "en");
  await stack.link(undefined, "ar");
  await page.goto(stack.mail);
  await expect(page.locator("#mail")).toBeVisible();
  await expect(page.locator("#subject")).toHaveText("إعادة تعيين كلمة المرور لحسابك في Rekey");
  await inspect("inbox-ar");
  await page.locator("nav li:last-child button").click();
  await expect(page.locator("#subject")).toHaveText("Reset your Rekey password");
  await expect(page.locator("iframe")).toHaveAttribute("srcdoc", /ses:no-track/);
  await expect(page.frameLocator("iframe").getByRole("link", {name: "Set a new password"})).toBeVisible();
  await inspect("inbox-html");
  for (const name of ["Text", "Source"]) {
    await page.getByRole("tab", {name}).click();
    await expect(page.locator("#panel pre")).toBeVisible();
    await inspect(`inbox-${name.toLowerCase()}`);
  }
  await page.getByRole("button", {name: "Delete all"}).click();
  await expect(page.locator("#count")).toHaveText("0 mails");
  await inspect("inbox-empty");
});
