(() => {
  const PAUSE = 60; // seconds between two mails to one address: the same limit as in *validate*
  const field = find("#email");
  const wait = find("#wait");
  const base = location.pathname.replace(/\/reset-password\/?$/, "");
  let request = null; // the current request; another mail to the same address needs no new one
  let sent = null; // the address of the last mail, and when it may be sent again
  let busy = false;

  // Only the same address has to wait.
  const show = () => {
    const same = sent !== null && field.value.trim() === sent.email;
    const left = same ? Math.ceil((sent.again - performance.now()) / 1000) : 0;
    button.disabled = busy || left > 0;
    button.textContent = same ? button.dataset.again : button.dataset.first;
    wait.hidden = left <= 0;
    wait.textContent = left > 0 ? text.wait.replace("{wait}", soon(left)) : "";
  };

  const refused = (response) => {
    if (response.status === 400) {
      field.setAttribute("aria-invalid", "true");
      say(text.invalid, "bad");
      field.focus();
    } else {
      say(response.status === 429 ? throttled(response) : text.failed, "bad");
      status.focus();
    }
  };

  const ask = async (email) => {
    const repeated = request?.email === email;
    if (!repeated) {
      const opened = await post(base + "/reset-password/", {email});
      if (!opened.ok) { refused(opened); return; }
      request = {email, token: (await opened.json()).reset_token};
    }
    const mailed = await post(base + "/validate-password-reset/", {token: request.token, email});
    if (!mailed.ok) {
      const over = mailed.status === 404 || mailed.status === 429;
      if (over) request = null;
      // An earlier request has expired or had all its mails: open another.
      if (over && repeated) { await ask(email); return; }
      refused(mailed);
      return;
    }
    sent = {email, again: performance.now() + PAUSE * 1000};
    tab.set(email);
    say(text.sent, "good");
    status.focus();
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy || button.disabled) return;
    busy = true;
    field.removeAttribute("aria-invalid");
    say(text.sending, "");
    show();
    try {
      await ask(field.value.trim());
    } catch {
      say(text.offline, "bad");
      status.focus();
    } finally {
      busy = false;
      show();
    }
  });

  field.addEventListener("input", show);
  setInterval(() => { if (sent) show(); }, 1000);
  form.hidden = false;
  field.focus();
})();
