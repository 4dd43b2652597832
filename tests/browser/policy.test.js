// The pages' Content-Security-Policy: every directive of it, and that Chromium refuses what each is there to refuse.

import {expect, test} from "./harness.js";
import {ATTEMPTS, directives, expected, passTrustedTypes} from "./policy.js";
import {CHOOSE, FORGOT} from "./stack.js";

for (const path of [FORGOT, CHOOSE]) {
  test(`${path} has the whole policy`, async ({request}) => {
    const response = await request.get(path);
    expect(directives(response.headers()["content-security-policy"])).toEqual(expected(await response.text()));
  });

  test(`${path} is not shown in another page's frame`, async ({page, stack}) => {
    await page.goto(stack.mail);
    await page.evaluate((src) => new Promise((loaded) => {
      const frame = document.createElement("iframe");
      document.body.append(Object.assign(frame, {id: "framed", src, onload: loaded}));
    }), stack.api + path);
    await expect(page.frameLocator("#framed").locator("body")).toBeAttached();
    await expect(page.frameLocator("#framed").locator("main")).not.toBeAttached();
  });

  test(`${path} refuses what its policy is there to refuse`, async ({page, stack, refused}) => {
    await page.goto(path);
    const before = [await page.title(), "grid"];
    await passTrustedTypes(page);
    for (const [directive, name, attempt] of ATTEMPTS) {
      await page.evaluate(attempt, stack.mail);
      await expect.poll(() => refused.map((refusal) => refusal.split(" ")[0]), name).toEqual([directive]);
      refused.length = 0;
    }
    expect(await page.evaluate(() => [document.title, getComputedStyle(document.body).display]), "nothing ran").toEqual(before);
  });
}
