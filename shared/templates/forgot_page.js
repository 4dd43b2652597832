(() => {
  const PAUSE = 60; // seconds between two mails to one address: the same limit as in *validate*
  const field = find("#email");
  const wait = find("#wait");
  const base = location.pathname.replace(/\/reset-password\/?$/, "");
  let request = null; // the current request; another mail to the same address needs no new one
  let sent = null; // the address of the last mail, and when it may be sent again
  let busy = false;

  // The address in what people paste: with invisible characters, from a list, a mail's header or a link.
  const EDGES = /^[\s\p{DI}]+|[\s\p{DI};,]+$/gu;
  const address = () => {
    let found = field.value.replace(EDGES, "");
    const named = /<([^<>]*)>$/.exec(found);
    if (named) found = named[1].replace(EDGES, "");
    if (/^mailto:/i.test(found)) {
      found = found.slice("mailto:".length).split("?")[0];
      try { found = decodeURIComponent(found); } catch (_) { /* a percent sign of its own */ }
    }
    return found.replace(EDGES, "");
  };

  // Only the same address has to wait.
  const show = () => {
    const same = sent !== null && address() === sent.email;
    const left = same ? Math.ceil((sent.again - performance.now()) / 1000) : 0;
    button.disabled = busy || left > 0;
    button.textContent = same ? button.dataset.again : button.dataset.first;
    wait.hidden = left <= 0;
    wait.textContent = left > 0 ? text.wait.replace("{wait}", soon(left)) : "";
  };

  const refused = (answer) => {
    if (answer.status === 400 || answer.status === 413 || answer.status === 415) {
      field.setAttribute("aria-invalid", "true");
      say(text.invalid, "bad");
      field.focus();
    } else {
      say(answer.status === 429 ? throttled(answer) : text.failed, "bad");
      status.focus();
    }
  };

  const ask = async (email) => {
    const repeated = request !== null && request.email === email;
    if (!repeated) {
      const opened = await post(base + "/reset-password", {email});
      if (opened.status !== 200) { refused(opened); return; }
      request = {email, token: opened.json.reset_token};
    }
    const mailed = await post(base + "/validate-password-reset", {token: request.token, email});
    if (mailed.status !== 204) {
      const over = mailed.status === 404 || mailed.status === 429;
      if (over) request = null;
      // An earlier request has expired or had all its mails: open another.
      if (over && repeated) { await ask(email); return; }
      refused(mailed);
      return;
    }
    sent = {email, again: performance.now() + PAUSE * 1000};
    say("", "");
    face("sent", text.sent);
    heading.focus();
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy || button.disabled) return;
    busy = true;
    const email = field.value = address();
    field.removeAttribute("aria-invalid");
    if (sent === null || sent.email !== email) face("form", text.intro);
    say(text.sending, "");
    show();
    try {
      await ask(email);
    } catch (_) {
      say(text.offline, "bad");
      status.focus();
    } finally {
      busy = false;
      show();
    }
  });

  field.addEventListener("input", () => {
    if (!busy) say("", "");
    field.removeAttribute("aria-invalid");
    show();
  });
  setInterval(() => { if (sent) show(); }, 1000);
  face("form", text.intro);
  form.hidden = false;
  if (signIn) signIn.hidden = false;
  field.focus();
})();
