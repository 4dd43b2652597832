// What every test has: a stack, a page whose policy and script are watched, and the judgement of a page's state.

import {resolve} from "node:path";
import {AxeBuilder} from "@axe-core/playwright";
import {test as base, expect} from "@playwright/test";
import {Stack} from "./stack.js";

export {expect};

/** A password that the policy accepts. */
export const PASSWORD = "crux_is_awesome";
/** A password that is long enough, and refused. */
export const WEAK = "passwordpassword";

/** `Retry-After` in seconds, and how the pages say it. Neighbours differ, so that each is seen to be said. */
export const WAITS = [
  ["0", "in 1 second"],
  ["90", "in 90 seconds"],
  ["1", "in 1 second"],
  ["91", "in 2 minutes"],
  ["121", "in 3 minutes"],
  ["120", "in 2 minutes"],
  ["5400", "in 90 minutes"],
  ["5401", "in 2 hours"],
  ["7201", "in 3 hours"],
];

/** The variables of a stack, unless a file sets others: the cheapest hash, and no limits by IP address, which all tests share. */
export const SETTINGS = {
  ARGON2_MEMORY_KIB: "19456",
  ARGON2_ITERATIONS: "2",
  ARGON2_LANES: "1",
  SIGN_IN_LINK: "https://example.com/sign-in",
  SUPPORT_LINK: "mailto:help@example.com",
  LIMIT_RESET_PER_IP: "0",
  LIMIT_BAD_TOKEN_PER_IP: "0",
};

export const test = base.extend({
  /** The stack's variables, as `test.use({settings})` at the top of a file sets them. */
  settings: [SETTINGS, {scope: "worker", option: true}],

  stack: [async ({settings}, use) => {
    const stack = await Stack.start(settings);
    await use(stack);
    await stack.end();
  }, {scope: "worker", timeout: 600_000}],

  baseURL: ({stack}, use) => use(stack.api),

  /** What the pages' policies refused. Empty after each test. */
  refused: async ({context}, use) => {
    const refused = [];
    await context.exposeBinding("policyRefused", (_, what) => { refused.push(what); });
    await context.addInitScript(() => addEventListener("securitypolicyviolation",
      // Firefox asks for an icon by itself. The pages have none.
      (event) => event.blockedURI.endsWith("/favicon.ico") || policyRefused(`${event.effectiveDirective} ${event.blockedURI}`)));
    await use(refused);
    expect(refused, "the policy refused something of the page's own").toEqual([]);
  },

  page: async ({page, refused}, use) => {
    const errors = [];
    // Firefox also reports here what the policy refused.
    page.on("pageerror", (error) => { if (!String(error).startsWith("Content-Security-Policy:")) errors.push(String(error)); });
    await use(page);
    expect(errors, "errors of the page's script").toEqual([]);
  },

  /** Opens a path without JavaScript, and shows what is said then: axe needs JavaScript, which would hide it. */
  openWithoutScript: async ({page, context}, use) => {
    await use(async (path) => {
      const devtools = await context.newCDPSession(page);
      await devtools.send("Emulation.setScriptExecutionDisabled", {value: true});
      await page.goto(path);
      await expect(page.locator("body")).toContainText("This page needs JavaScript.", {useInnerText: true});
      await expect(page.locator("form")).toBeHidden();
      await devtools.send("Emulation.setScriptExecutionDisabled", {value: false});
    });
  },

  /** Judges the state that the page is in: axe finds nothing, the policy refused nothing, and nothing is wider than the screen, in
   * light and dark, wide and narrow. Takes pictures where `REKEY_SCREENSHOTS` names a directory. */
  inspect: async ({page, refused}, use) => {
    await use(async (state) => {
      expect(refused, `${state}: the policy refused something of the page's own`).toEqual([]);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({colorScheme});
        for (const width of [1000, 320]) {
          const form = `${state}-${colorScheme}-${width}`;
          await page.setViewportSize({width, height: 760});
          // Not its own mode, which waits for ever for a frame without scripts, as the inbox has one for the mail.
          const {violations} = await new AxeBuilder({page}).setLegacyMode().analyze();
          expect(violations.map(({id, nodes}) => [id, nodes.map((node) => `${node.html} ${node.failureSummary}`)]), form).toEqual([]);
          expect(await page.evaluate(() => document.documentElement.scrollWidth), form).toBeLessThanOrEqual(width);
          const directory = process.env.REKEY_SCREENSHOTS;
          if (directory) await page.screenshot({path: resolve(directory, `${form}.png`), fullPage: true});
        }
      }
      await page.setViewportSize({width: 1000, height: 760});
      // What axe itself was refused.
      refused.length = 0;
    });
  },
});

/** The page's status line, which is hidden while it is empty. */
export const status = (page) => page.locator("[role=status]");

/** Types `text` into `field` in place of what is there, and Enter. */
export const send = async (field, text) => {
  await field.fill(text);
  await field.press("Enter");
};

/** Opens another link in the same tab, as a mail program does: only the fragment changes. */
export const follow = (page, token) => page.evaluate((hash) => { location.hash = hash; }, `token=${token}`);

/** Milliseconds in which a page has done what it does on an answer. */
const SETTLED = 200;

/** An answer that never comes: the connection is lost. */
export const LOST = null;

/** The path of `request` without the trailing slash. */
const pathOf = (request) => new URL(request.url()).pathname.replace(/\/$/, "");

/** The paths of the calls that the page makes from now on. */
export const callsOf = (page) => {
  const calls = [];
  page.on("request", (request) => { if (request.method() === "POST") calls.push(pathOf(request)); });
  return calls;
};

const onCall = (page, path, handle) => page.route("**", (route) => {
  const request = route.request();
  return request.method() === "POST" && pathOf(request) === path ? handle(route) : route.fallback();
});

const answer = (route, reply) => reply === LOST ? route.abort() : route.fulfill(reply);

/** Answers the next `times` calls to `path` with `reply`. */
export const reply = (page, path, reply, times = Infinity) => onCall(page, path, (route) => {
  times -= 1;
  return times < 0 ? route.fallback() : answer(route, reply);
});

/** Answers the next calls to `path` with 429, once for each of `WAITS`. */
export const throttle = async (page, path) => {
  for (const [seconds] of WAITS.toReversed()) await reply(page, path, {status: 429, headers: {"Retry-After": seconds}}, 1);
};

/** Holds the calls to `path`. The returned function waits for the call `index`, and returns a function that answers it late. */
export const hold = async (page, path) => {
  const held = [];
  await onCall(page, path, (route) => { held.push(route); });
  return async (index) => {
    await expect.poll(() => held.length, `calls to ${path}`).toBeGreaterThan(index);
    return async (reply) => {
      await answer(held[index], reply);
      await page.waitForTimeout(SETTLED);
    };
  };
};
