"use strict";
// What both pages share. Their messages stand in the page, in the person's language, so that this text is always the same.
const find = (selector) => document.querySelector(selector);
const form = find("form");
const button = find("form button");
const status = find("#status");
const text = status.dataset;

const say = (message, kind) => { status.textContent = message; status.className = kind; };

const post = (url, body, signal) => fetch(url, {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body), signal,
  credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
});

const soon = (seconds) => {
  const [count, unit] = seconds <= 90 ? [seconds, "second"] : seconds <= 5400 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return new Intl.RelativeTimeFormat(document.documentElement.lang).format(Math.max(1, Math.ceil(count)), unit);
};

const throttled = (response) => text.throttled.replace("{wait}", soon(Number(response.headers.get("Retry-After"))));

// The address stays in this tab alone, so that a password manager can keep it beside the new password.
const tab = {
  get: () => { try { return sessionStorage.getItem("rekey-address"); } catch { return null; } },
  set: (address) => { try { sessionStorage.setItem("rekey-address", address); } catch { /* switched off */ } },
  clear: () => { try { sessionStorage.removeItem("rekey-address"); } catch { /* switched off */ } },
};
