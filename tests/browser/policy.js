// What a page's Content-Security-Policy must be, and what it must refuse.

import {createHash} from "node:crypto";

/** A policy as an object: its directives and their values. */
export const directives = (policy) =>
  Object.fromEntries(policy.split("; ").map((directive) => directive.split(/ (.*)/).slice(0, 2)));

/** The directives that belong to the page with this HTML. */
export const expected = (html) => {
  const hash = (tag) => {
    const [, content] = html.match(new RegExp(`<${tag}>(.*?)</${tag}>`, "s"));
    return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
  };
  return {
    "default-src": "'none'",
    "script-src": hash("script"),
    "style-src": hash("style"),
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
  };
};

/** Lets the attempts pass Trusted Types, which would refuse most of them before the directive that is meant. */
export const passTrustedTypes = (page) => page.evaluate(() => {
  const pass = (text) => text;
  window.types = trustedTypes.createPolicy("attempts", {createHTML: pass, createScript: pass, createScriptURL: pass});
  window.add = (name, values) => { document.body.append(Object.assign(document.createElement(name), values)); };
});

/** What somebody who can write into the page would try, and the directive that refuses it. `elsewhere` is another origin. */
export const ATTEMPTS = [
  ["script-src-elem", "a script", () => add("script", {text: types.createScript("document.title = 'ran'")})],
  ["script-src-elem", "a file with a script", () => add("script", {src: types.createScriptURL("/script.js")})],
  ["script-src-elem", "a link to a script", () => {
    add("a", {id: "script-link", href: "javascript:document.title = 'ran'"});
    document.querySelector("#script-link").click();
  }],
  ["script-src-attr", "an event handler", () =>
    document.body.insertAdjacentHTML("beforeend", types.createHTML('<details open ontoggle="document.title = \'ran\'"></details>'))],
  ["script-src", "eval", () => { try { eval(types.createScript("document.title = 'ran'")); } catch { /* refused */ } }],
  ["worker-src", "a worker", () => { try { new Worker(types.createScriptURL("/worker.js")); } catch { /* refused */ } }],
  ["style-src-elem", "a style sheet", () => add("style", {textContent: "body { display: none }"})],
  ["style-src-elem", "a file with a style sheet", () => add("link", {rel: "stylesheet", href: "/style.css"})],
  ["style-src-attr", "an element's style", () => document.body.setAttribute("style", "display: none")],
  ["img-src", "an image", () => add("img", {src: "/image.png", alt: ""})],
  ["font-src", "a font", () => { new FontFace("font", "url(/font.woff)").load().catch(() => {}); }],
  ["media-src", "a film", () => add("video", {src: "/film.mp4"})],
  ["object-src", "a plug-in", () => add("object", {data: types.createScriptURL("/object")})],
  ["frame-src", "a frame", () => add("iframe", {src: "/frame", title: "frame"})],
  ["connect-src", "a call to elsewhere", (elsewhere) => { fetch(elsewhere).catch(() => {}); }],
  ["connect-src", "a beacon to elsewhere", (elsewhere) => { navigator.sendBeacon(elsewhere, "password"); }],
  ["connect-src", "a socket to elsewhere", (elsewhere) => { new WebSocket(elsewhere.replace("http", "ws")); }],
  ["base-uri", "another base", (elsewhere) => add("base", {href: elsewhere})],
  ["form-action", "a form that is sent", () => {
    add("form", {id: "sent", action: "/form"});
    document.querySelector("#sent").submit();
  }],
  ["require-trusted-types-for", "HTML from a string", () => {
    try { document.body.insertAdjacentHTML("beforeend", "<b>HTML</b>"); } catch { /* refused */ }
  }],
];
