// The pages with the operator's logo and colour.

import {expect, SETTINGS, test} from "./harness.js";
import {directives, expected} from "./policy.js";
import {CHOOSE, FORGOT} from "./stack.js";

const LOGO = "https://cdn.example.com/logo.svg";
const IMAGE = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="#888"/></svg>';

test.use({settings: {...SETTINGS, SERVICE_NAME: "Ann & <Co>", BRAND_COLOR: "#ffd400", LOGO_URL: `${LOGO}?size=2`}});

for (const [name, path] of [["forgot", FORGOT], ["choose", CHOOSE]]) {
  test(`${path} shows the logo and may load no other image`, async ({page, refused, inspect}) => {
    await page.route("https://cdn.example.com/**", (route) => route.fulfill({contentType: "image/svg+xml", body: IMAGE}));
    const response = await page.goto(path);
    const policy = {...expected(await response.text()), "img-src": LOGO};
    expect(directives(response.headers()["content-security-policy"])).toEqual(policy);
    const logo = page.getByRole("img", {name: "Ann & <Co>"});
    expect(await logo.evaluate((image) => image.naturalWidth)).toBe(120);
    await expect(page.locator("form button")).toHaveCSS("background-color", "rgb(255, 212, 0)");
    await inspect(`${name}-branded`);
    await page.evaluate(() => { new Image().src = "https://cdn.example.com/other.svg"; });
    await expect.poll(() => refused).toEqual(["img-src https://cdn.example.com/other.svg"]);
    refused.length = 0;
  });
}
