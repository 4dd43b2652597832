// Both pages under a path with a stage, as API Gateway's own address has it.

import {callsOf, expect, PASSWORD, send, status, test} from "./harness.js";
import {CHECK, CHOOSE, FORGOT, VALIDATE} from "./stack.js";

const STAGE = "/prod";

for (const slash of ["", "/"]) {
  test(`a reset below ${STAGE}, at paths that end in "${slash}"`, async ({page, stack}) => {
    // API Gateway takes the stage away.
    await page.route(`${stack.api}${STAGE}/**`, async (route) => {
      const response = await route.fetch({url: route.request().url().replace(STAGE, "")});
      await route.fulfill({response});
    });
    const calls = callsOf(page);
    const email = await stack.account();
    await page.goto(STAGE + FORGOT + slash);
    await send(page.getByLabel("Email address"), email);
    await expect(page.locator("#text")).toContainText("an email with a link is on its way");

    const [mail] = await stack.mails(email, 1);
    const fragment = new URL(mail.html.match(/href="([^"]+)"/)[1]).hash;
    await page.goto(STAGE + CHOOSE + slash + fragment);
    await expect(page.locator("#again a")).toHaveAttribute("href", new RegExp(`^${STAGE}${FORGOT}/?$`));
    await page.getByLabel("New password").fill(PASSWORD);
    await expect(page.locator("#status")).toHaveText("This password is good.");
    await page.getByRole("button", {name: "Set password"}).click();
    await expect(page.locator("#text")).toContainText("Your new password is set");
    expect(calls).toEqual([FORGOT, VALIDATE, VALIDATE, CHECK, CHOOSE].map((path) => STAGE + path));
  });
}
