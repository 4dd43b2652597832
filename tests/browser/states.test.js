// What people meet after a refusal, with a damaged link, after a reload, and when nothing answers.

import {callsOf, expect, LOST, PASSWORD, reply, send, status, test, WEAK} from "./harness.js";
import {CHECK, CHOOSE, choose, DEAD, FORGOT, VALIDATE} from "./stack.js";

const LIVE = {status: 200, json: {email: "name$&@example.com"}};
const UNUSABLE = "This password contains a character that cannot be used.";
const TOO_LONG = "The password must have at most 128 characters.";

const field = (page) => page.getByLabel("New password");
const email = (page) => page.getByLabel("Email address");
const button = (page) => page.locator("form button");
const heading = (page) => page.locator("h1");
const text = (page) => page.locator("#text");

/** Opens the page with a link that is live. */
const opened = async (page) => {
  await reply(page, VALIDATE, LIVE);
  await page.goto(choose(DEAD));
  await expect(field(page)).toBeFocused();
};

test("there is one verdict, it goes with the next key, and the card stands still", async ({page, stack}) => {
  await page.goto(await stack.link());
  await expect(field(page)).toBeFocused();
  for (const width of [1000, 320]) {
    await page.setViewportSize({width, height: 760});
    const place = (locator) => locator.boundingBox();
    const before = [await place(heading(page)), await place(field(page)), await place(button(page))];
    await field(page).fill(WEAK);
    await expect(status(page)).toContainText("easy to guess");
    expect([await place(heading(page)), await place(field(page)), await place(button(page))]).toEqual(before);
    const [input, message] = [await place(field(page)), await place(status(page))];
    expect(message.y - input.y - input.height, "directly below the field").toBeLessThan(10);
    await send(field(page), "short");
    await expect(status(page)).toHaveText("The password must have at least 15 characters.");
    await expect(field(page)).toHaveAttribute("aria-invalid", "true");
    await field(page).press("x");
    await expect(status(page)).toHaveText("");
    await expect(field(page)).not.toHaveAttribute("aria-invalid");
    await field(page).fill("");
  }
  const [rules, least, most] = await field(page).evaluate((input) => [input.getAttribute("passwordrules"), input.minLength, input.maxLength]);
  expect([rules, least, most]).toEqual(["minlength: 15; maxlength: 128;", 15, 1024]);
});

test("of several reasons the first is said", async ({page}) => {
  await opened(page);
  const errors = [{code: "password_guessable", advice: "names"}, {code: "password_too_long"}];
  await reply(page, CHOOSE, {status: 422, json: {errors}});
  await send(field(page), PASSWORD);
  await expect(status(page)).toHaveText("This password is too easy to guess. Names are easy to guess.");
});

test("no space stands between Japanese sentences", async ({page}) => {
  await page.route("**", (route) => route.fallback({headers: {...route.request().headers(), "accept-language": "ja"}}));
  await reply(page, VALIDATE, LIVE);
  await reply(page, CHECK, {status: 400, json: {details: [{errors: [{code: "password_guessable", advice: "names"}]}]}});
  await page.goto(choose(DEAD));
  await page.locator("#password").fill(PASSWORD);
  await expect(status(page)).toHaveText(/。[^ ].*。$/);
  await expect(status(page)).not.toHaveText(/。 /);
  await page.reload();
  await expect(text(page)).toHaveText(/。[^ ].*。$/);
  await expect(text(page)).not.toHaveText(/。 /);
});

test("the check while typing knows the account", async ({page, stack}) => {
  const address = "thessaloniki-wanderer-bookshop@example.com";
  await stack.store(address);
  await page.goto(await stack.link(address));
  await field(page).fill(address);
  await expect(status(page)).toContainText("This password is too easy to guess.");
});

for (const [code, reason] of Object.entries({password_too_many_bytes: "This password is too long. Please choose a shorter one.", password_contains_nul: UNUSABLE, password_breached: "This password is known from a data breach. Please choose another one."})) {
  test(`a password that is refused as ${code} is said to be so`, async ({page}) => {
    await opened(page);
    await reply(page, CHECK, {status: 400, json: {details: [{errors: [{code}]}]}});
    await reply(page, CHOOSE, {status: 422, json: {errors: [{code}]}});
    await field(page).fill(PASSWORD);
    await expect(status(page)).toHaveText(reason);
    await field(page).press("Enter");
    await expect(field(page)).toHaveAttribute("aria-invalid", "true");
    await expect(status(page)).toHaveText(reason);
  });
}

test("a password that cannot be sent is refused at once, and never called uncertain", async ({page}) => {
  await opened(page);
  const calls = callsOf(page);
  const set = (value) => field(page).evaluate((input, value) => { input.value = value; input.dispatchEvent(new Event("input")); }, value);
  for (const [password, reason] of [["é".repeat(129), TOO_LONG], ["x".repeat(17_000), TOO_LONG], ["🎈".repeat(129), TOO_LONG],
    [`a lone \ud83c in a password`, UNUSABLE], [`a lone \udf88 in a password`, UNUSABLE]]) {
    await set(password);
    await expect(status(page)).toHaveText(reason);
    await button(page).click();
    await expect(status(page)).toHaveText(reason);
    await expect(field(page)).toHaveAttribute("aria-invalid", "true");
  }
  expect(calls).toEqual([]);
  // What the field cuts is refused, too.
  for (const one of ["🎈", "x", "👩‍👩‍👧‍👦", `e${"\u0301".repeat(20)}`]) {
    await field(page).fill("");
    await page.keyboard.insertText(one.repeat(600));
    await expect(status(page), one).toHaveText(TOO_LONG);
  }
  // A proxy may have limits of its own.
  for (const [code, reason] of [[413, TOO_LONG], [415, UNUSABLE]]) {
    await reply(page, CHOOSE, {status: code}, 1);
    await send(field(page), PASSWORD);
    await expect(field(page)).toHaveAttribute("aria-invalid", "true");
    await expect(status(page)).toHaveText(reason);
  }
  await reply(page, CHOOSE, {status: 403}, 1);
  await send(field(page), PASSWORD);
  await expect(status(page)).toHaveText("That did not work. Please try again in a moment.");
  await reply(page, CHOOSE, LOST, 1);
  await send(field(page), PASSWORD);
  await expect(status(page), "the answer may have been lost").toContainText("your new password is set");
});

test("the user name is the account's, whatever the tab knew before", async ({page}) => {
  await page.addInitScript(() => sessionStorage.setItem("rekey-address", "else@example.com"));
  await opened(page);
  await expect(page.locator("#username")).toHaveValue("name$&@example.com");
  await expect(page.locator("#for")).toHaveText("For \u2068name$&@example.com\u2069");
});

test("a changed password stays changed after a reload and Back", async ({page, stack, inspect}) => {
  await page.goto(await stack.link());
  await send(field(page), PASSWORD);
  const done = async () => {
    await expect(heading(page)).toHaveText("Password changed");
    await expect(page).toHaveTitle("Password changed – Rekey");
    await expect(page.locator(".service")).toHaveText("Rekey");
    await expect(page.getByRole("link", {name: "Sign in"})).toBeVisible();
    await expect(page.locator("form")).toBeHidden();
    await expect(page.locator("#again")).toBeHidden();
  };
  await done();
  await page.reload();
  await done();
  await inspect("choose-done-reloaded");
  await page.goto(FORGOT);
  await page.goBack();
  await done();
});

test("a reload half-way says why the link must be opened again", async ({page, inspect}) => {
  await opened(page);
  await page.reload();
  await expect(text(page)).toContainText("This page forgets the link when it is reloaded or left");
  await expect(page.getByRole("link", {name: "Get a new link"})).toBeVisible();
  await inspect("choose-reloaded");
});

for (const [name, link] of Object.entries({
  "a full stop": `${DEAD}.`, "a bracket": `${DEAD})`, "an angle bracket": `${DEAD}>`, "a space": `${DEAD}%20`, "words": `${DEAD} and more`,
  "a zero-width space": `${DEAD}\u200b`, "its encoded form": `${DEAD}%E2%80%8B`, "a line break": `${DEAD}%0D%0A`, "a quotation mark": `${DEAD}"`,
  "a line break within": `${DEAD.slice(9)}%0A${DEAD.slice(11)}`, "a percent sign": `${DEAD}%`,
})) {
  test(`a link is followed in spite of ${name}`, async ({page}) => {
    await reply(page, VALIDATE, LIVE);
    const called = page.waitForRequest((request) => request.method() === "POST");
    await page.goto(choose(link));
    expect((await called).postDataJSON()).toEqual({token: DEAD});
    await expect(page.locator("form")).toBeVisible();
    expect(page.url()).not.toContain("#");
  });
}

for (const link of [DEAD.slice(1), `${DEAD}A`, "", "...", `${DEAD.slice(5)}-${DEAD}`]) {
  test(`a link with "${link}" is incomplete`, async ({page, inspect}) => {
    const calls = callsOf(page);
    await page.goto(choose(link));
    await expect(heading(page)).toHaveText("This link is incomplete");
    await expect(page).toHaveTitle("This link is incomplete – Rekey");
    await expect(text(page)).toHaveText("Please copy the whole address printed in the email into your browser.");
    await expect(page.getByRole("link", {name: "Get a new link"})).toBeVisible();
    expect(calls).toEqual([]);
    if (!link) await inspect("choose-incomplete");
  });
}

test("a link that was handed on without its fragment is incomplete", async ({page}) => {
  await page.goto(CHOOSE);
  await expect(heading(page)).toHaveText("This link is incomplete");
});

for (const path of [FORGOT, CHOOSE]) {
  test(`${path} says what to do where its script does not run`, async ({page, refused, inspect}) => {
    // One byte changed on the way: the policy refuses the script.
    await page.route("**", async (route) => {
      const response = await route.fetch();
      await route.fulfill({response, body: (await response.text()).replace('"use strict"', '"use strinct"')});
    });
    await page.goto(path);
    await expect(page.locator("#broken")).toContainText("newer browser");
    await expect(page.locator("form")).toBeHidden();
    await expect.poll(() => refused.length).toBe(1);
    refused.length = 0;
    await inspect(`broken-${path.split("/")[2]}`);
    await page.unroute("**");
    await page.goto("about:blank");
    await page.goto(path);
    await expect(page.locator("#broken")).toBeHidden();
  });
}

/** Lets the calls to `path` hang, and the page's patience end. */
const hang = async (page, path) => {
  await page.clock.install();
  await page.route((url) => url.pathname === path, (route) => route.request().method() === "POST" ? undefined : route.fallback());
};

for (const path of [FORGOT, VALIDATE]) {
  test(`where ${path} never answers, the button lives again`, async ({page}) => {
    if (path === VALIDATE) await reply(page, FORGOT, {status: 200, json: {reset_token: DEAD}});
    await hang(page, path);
    await page.goto(FORGOT);
    await send(email(page), "a@example.com");
    await expect(status(page)).toHaveText("Sending…");
    await page.clock.runFor(26_000);
    await expect(status(page)).toContainText("We could not reach the service.");
    await expect(button(page)).toBeEnabled();
  });
}

test("where the check of a link never answers, it can be tried again", async ({page}) => {
  await hang(page, VALIDATE);
  await page.goto(choose(DEAD));
  await expect(text(page)).toHaveText("Checking your link…");
  await page.clock.runFor(26_000);
  await expect(text(page)).toContainText("We could not reach the service.");
  await expect(page.getByRole("button", {name: "Try again"})).toBeVisible();
});

test("where a completion never answers, the outcome is uncertain", async ({page}) => {
  await reply(page, VALIDATE, LIVE);
  await hang(page, CHOOSE);
  await page.goto(choose(DEAD));
  await send(field(page), PASSWORD);
  await expect(status(page)).toHaveText("Setting the password…");
  await page.clock.runFor(26_000);
  await expect(status(page)).toContainText("your new password is set");
  await expect(button(page)).toBeEnabled();
});

for (const typed of ["  a@b.example ", "mailto:a@b.example", "MAILTO:a%40b.example?subject=x&cc=c@d.example", "Ann Bee <a@b.example>", "<a@b.example>;",
  "a@b.example;", "a@b.example, ", "\u200ba@b.example\u2069", "\ufeff\u00ada@b.example", "mailto:a@b.example;"]) {
  test(`the address in ${JSON.stringify(typed)} is found`, async ({page}) => {
    await page.goto(FORGOT);
    await reply(page, FORGOT, {status: 400});
    const called = page.waitForRequest((request) => request.method() === "POST");
    await send(email(page), typed);
    expect((await called).postDataJSON()).toEqual({email: "a@b.example"});
    await expect(email(page)).toHaveValue("a@b.example");
    await expect(status(page)).toContainText("Please enter an email address");
    await email(page).press("x");
    await expect(status(page)).toHaveText("");
  });
}

test("a domain in its own letters is taken", async ({page, stack}) => {
  await stack.store("info@xn--bcher-kva.example");
  await page.goto(FORGOT);
  await send(email(page), "info@bücher.example");
  await expect(heading(page)).toHaveText("Check your email");
  await stack.mails("info@xn--bcher-kva.example", 1);
});
