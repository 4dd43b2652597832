"use strict";
// Shared by both pages. The page contains the messages in the person's language, so the script, and its hash, is the same in all.
// Syntax of 2019 and older: where it is not understood, or the script does not run for another reason, the page's text stays.
const PATIENCE = 25000; // milliseconds for an answer: all functions give up sooner
const find = (selector) => document.querySelector(selector);
const form = find("form");
const button = find("form button");
const heading = find("h1");
const message = find("#text");
const status = find("#status");
const signIn = find("#sign-in");
const text = status.dataset;
const title = heading.textContent;
const service = document.title.slice(title.length);

// The one place for messages about the field, directly below it.
const say = (what, kind) => { status.textContent = what; status.className = kind; };

// What the page is about now: its heading, its title and the text below them.
const face = (name, what) => {
  find("#broken").hidden = true;
  heading.textContent = text[name + "Title"] || title;
  document.title = heading.textContent + service;
  message.textContent = what;
};

// Every call ends: with an answer that is read to its end, or with an error.
const post = async (url, body, controller = new AbortController()) => {
  const timer = setTimeout(() => controller.abort(), PATIENCE);
  try {
    const response = await fetch(url, {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body), signal: controller.signal,
      credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
    });
    const {status, headers} = response;
    const content = await response.text();
    let json = {};
    try { json = JSON.parse(content) || {}; } catch (_) { /* no body, or another's */ }
    return {status, json, wait: Number(headers.get("Retry-After"))};
  } finally {
    clearTimeout(timer);
  }
};

// Chinese and Japanese have no space between sentences.
const sentences = (...all) => all.filter(Boolean).join(" ").replace(/。 /g, "。");

const soon = (seconds) => {
  const [count, unit] = seconds <= 90 ? [seconds, "second"] : seconds <= 5400 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return new Intl.RelativeTimeFormat(document.documentElement.lang).format(Math.max(1, Math.ceil(count)), unit);
};

const throttled = (answer) => text.throttled.replace("{wait}", soon(answer.wait));
