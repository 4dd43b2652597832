(() => {
  const PAUSE = 400; // milliseconds without a key before the password is checked
  const field = find("#password");
  const username = find("#username");
  const show = find("#show");
  const verdict = find("#verdict");
  const again = find("#again");
  const retry = find("#retry");
  const signIn = find("#sign-in");
  const base = location.pathname.replace(/\/complete-password\/?$/, "");
  const api = base.replace(/\/organizations$/, "");
  again.querySelector("a").href = base + "/reset-password/";

  let token = null;
  let judging = null;

  const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  const reason = (error) => [text[camel(error.code ?? "")], error.advice && text[camel("advice_" + error.advice)]]
    .filter(Boolean).join(" ");
  const reasons = (errors) => errors.map(reason).filter(Boolean).join(" ");

  const judge = (message, kind) => { verdict.textContent = message; verdict.className = "hint " + kind; };

  const rest = (message, kind, {canRetry = false, canAsk = false} = {}) => {
    form.hidden = true;
    retry.hidden = !canRetry;
    again.hidden = !canAsk;
    say(message, kind);
  };
  const dead = () => { token = null; rest(text.dead, "bad", {canAsk: true}); status.focus(); };

  const check = async () => {
    const found = token;
    rest(text.checking, "");
    try {
      const response = await post(base + "/validate-password-reset/", {token: found});
      if (token !== found) return; // the person opened another link meanwhile
      if (response.status === 204) { say("", ""); form.hidden = false; field.focus(); return; }
      if (response.status === 404 || response.status === 400) { dead(); return; }
      rest(response.status === 429 ? throttled(response) : text.failed, "bad", {canRetry: true});
    } catch {
      if (token === found) rest(text.offline, "bad", {canRetry: true});
    }
  };

  const open = () => {
    // Remove the token from the address bar and the history, so that a shared or photographed screen does not show it.
    token = new URLSearchParams(location.hash.slice(1)).get("token");
    history.replaceState(null, "", location.pathname);
    if (signIn) signIn.hidden = true;
    const address = tab.get();
    username.value = address ?? "";
    username.disabled = !address;
    // A reload or a bookmark: the link in the mail may still work.
    if (token) check(); else rest(text.noLink, "", {canAsk: true});
  };

  // Shows nothing if the check fails: setting the password checks it again and reports errors.
  const look = async () => {
    const password = field.value;
    const {signal} = judging = new AbortController();
    try {
      const response = await post(api + "/auth/reset/validate-password", {password}, signal);
      if (response.ok) judge(text.fine, "good");
      if (response.status === 400) judge(reasons((await response.json()).details[0].errors ?? []), "bad");
    } catch { /* overtaken by the next key, or offline */ }
  };

  let timer = 0;
  const forget = () => { clearTimeout(timer); judging?.abort(); judge("", ""); };
  field.addEventListener("input", () => {
    forget();
    field.removeAttribute("aria-invalid");
    // The hint already gives the minimum length.
    if ([...field.value].length >= Number(field.dataset.min)) timer = setTimeout(look, PAUSE);
  });

  const conceal = () => { show.checked = false; field.type = "password"; };
  show.addEventListener("change", () => { field.type = show.checked ? "text" : "password"; });

  const finish = () => {
    token = null;
    field.value = "";
    conceal();
    tab.clear();
    rest(text.done, "good");
    if (signIn) signIn.hidden = false;
    status.focus();
  };

  const refused = async (response) => {
    if (response.status === 422 || response.status === 400) {
      field.setAttribute("aria-invalid", "true");
      say(reasons((await response.json()).errors ?? []) || text.failed, "bad");
    } else {
      say(response.status === 429 ? throttled(response) : text.uncertain, "bad");
    }
    field.focus();
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const used = token;
    button.disabled = true;
    forget();
    say(text.setting, "");
    try {
      const response = await post(base + "/complete-password/", {token: used, password: field.value});
      if (token !== used) return; // the person opened another link meanwhile
      if (response.status === 204) finish();
      else if (response.status === 404) dead();
      else await refused(response);
    } catch {
      if (token !== used) return;
      say(text.offline, "bad");
      field.focus();
    } finally {
      button.disabled = false;
    }
  });

  retry.addEventListener("click", check);
  // On a shared computer, somebody who goes back to this page must not find the password in it.
  addEventListener("pagehide", () => { token = null; field.value = ""; forget(); conceal(); });
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  // Opening a second link in the same tab changes only the fragment, and does not reload the page.
  addEventListener("hashchange", () => { if (location.hash) open(); });
  open();
})();
