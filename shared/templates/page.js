"use strict";
// Shared by both pages. The page contains the messages in the person's language, so the script, and its hash, is the same in all.
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

// Keep the address in this tab only: a password manager stores it with the new password.
const tab = {
  get: () => { try { return sessionStorage.getItem("rekey-address"); } catch { return null; } },
  set: (address) => { try { sessionStorage.setItem("rekey-address", address); } catch { /* switched off */ } },
  clear: () => { try { sessionStorage.removeItem("rekey-address"); } catch { /* switched off */ } },
};
