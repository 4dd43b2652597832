"use strict";
(() => {
  const form = document.querySelector("form");
  const field = document.querySelector("#email");
  const button = document.querySelector("button");
  const status = document.querySelector("[role=status]");
  const base = location.pathname.replace(/\/reset-password\/?$/, "");
  let request = null; // the open request, so that asking again for one address does not open another

  const say = (text, kind) => { status.textContent = text; status.className = kind; };
  const post = (path, body) => fetch(base + path, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
    credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
  });
  const explain = async (response) => {
    const wait = Number(response.headers.get("Retry-After"));
    if (response.status === 429) return `Too many attempts. Please try again in ${wait > 90 ? Math.ceil(wait / 60) + " minutes" : wait + " seconds"}.`;
    if (response.status === 400) return "Please enter an e-mail address such as name@example.com.";
    return "That did not work. Please try again in a moment.";
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const email = field.value.trim();
    button.disabled = true;
    say("Sending…", "");
    try {
      if (!request || request.email !== email) {
        const opened = await post("/reset-password/", {email});
        if (!opened.ok) { say(await explain(opened), "bad"); field.focus(); return; }
        request = {email, token: (await opened.json()).reset_token};
      }
      const mailed = await post("/validate-password-reset/", {token: request.token, email});
      if (!mailed.ok) {
        if (mailed.status === 404) request = null;
        say(await explain(mailed), "bad");
        return;
      }
      say("If this address has an account, a mail with a link is on its way. It may take a minute; look into your spam folder too.", "good");
      status.focus();
    } catch {
      say("We could not reach the service. Please check your connection and try again.", "bad");
    } finally {
      button.disabled = false;
    }
  });
})();
