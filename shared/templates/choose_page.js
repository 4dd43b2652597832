"use strict";
(() => {
  const form = document.querySelector("form");
  const field = document.querySelector("#password");
  const show = document.querySelector("#show");
  const button = document.querySelector("button");
  const status = document.querySelector("[role=status]");
  const again = document.querySelector("#again");
  const base = location.pathname.replace(/\/complete-password\/?$/, "");
  again.querySelector("a").href = base + "/reset-password/";

  const say = (text, kind) => { status.textContent = text; status.className = kind; };
  const post = (path, body) => fetch(base + path, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
    credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
  });
  const tooMany = (response) => {
    const wait = Number(response.headers.get("Retry-After"));
    return `Too many attempts. Please try again in ${wait > 90 ? Math.ceil(wait / 60) + " minutes" : wait + " seconds"}.`;
  };
  const dead = () => {
    form.hidden = true;
    again.hidden = false;
    say("This link does not work any more: it was used, it expired, or the password has been changed since.", "bad");
  };

  let token = null;

  const open = async () => {
    // The token leaves the address bar, the history and whatever is shared or photographed of them.
    const found = new URLSearchParams(location.hash.slice(1)).get("token");
    history.replaceState(null, "", location.pathname);
    form.hidden = true;
    again.hidden = true;
    if (!found) {
      // A reload, or a bookmark: the link itself may be as good as ever.
      token = null;
      again.hidden = false;
      say("Please open the link in your mail again.", "");
      return;
    }
    token = found;
    say("Checking your link…", "");
    try {
      const response = await post("/validate-password-reset/", {token: found});
      if (token !== found) return; // another link was opened meanwhile
      if (response.status === 204) { say("", ""); form.hidden = false; field.focus(); return; }
      if (response.status === 404 || response.status === 400) { dead(); return; }
      say(response.status === 429 ? tooMany(response) : "That did not work. Please open the link again in a moment.", "bad");
    } catch {
      if (token === found) say("We could not reach the service. Please check your connection and open the link again.", "bad");
    }
  };

  show.addEventListener("change", () => { field.type = show.checked ? "text" : "password"; });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const used = token;
    button.disabled = true;
    say("Setting the password…", "");
    try {
      const response = await post("/complete-password/", {token: used, password: field.value});
      if (token !== used) return; // another link was opened meanwhile
      if (response.status === 204) {
        token = null;
        field.value = "";
        form.hidden = true;
        say("Your new password is set. You can close this page and sign in.", "good");
        status.focus();
        return;
      }
      if (response.status === 404) { dead(); return; }
      if (response.status === 422 || response.status === 400) {
        const problem = await response.json();
        say(problem.errors.map((error) => error.detail).join(" "), "bad");
      } else {
        say(response.status === 429 ? tooMany(response) : "The service did not answer in time. Please try again in a moment; if the link then no longer works, your new password is set.", "bad");
      }
      field.focus();
    } catch {
      say("We could not reach the service. Please check your connection and try again.", "bad");
    } finally {
      button.disabled = false;
    }
  });

  // Whoever goes back to this page later, on a shared machine, finds nothing in it.
  addEventListener("pagehide", () => { token = null; field.value = ""; show.checked = false; field.type = "password"; });
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  // Opening a second link in the same tab changes nothing but the fragment.
  addEventListener("hashchange", () => { if (location.hash) open(); });
  open();
})();
