(() => {
  const PAUSE = 400; // milliseconds without a key before the password is checked
  const MAX = 128; // characters
  const TOKEN = 20; // characters
  const field = find("#password");
  const username = find("#username");
  const owner = find("#for");
  const show = find("#show");
  const again = find("#again");
  const retry = find("#retry");
  const base = location.pathname.replace(/\/complete-password\/?$/, "");
  const api = base.replace(/\/organizations$/, "");
  again.querySelector("a").href = base + "/reset-password";

  let token = null;
  let judging = null;

  const camel = (name) => name.replace(/[_-](.)/g, (_, letter) => letter.toUpperCase());
  // The first reason is enough to try again.
  const reason = (errors) => {
    const error = errors && errors[0] || {};
    return sentences(text[camel(error.code || "")], error.advice && text[camel("advice_" + error.advice)]);
  };
  // What needs no call. The field takes more than the policy, so that no password is cut in silence.
  const unusable = (password) => {
    const bytes = field.dataset.bytes; // where the hash has a limit of its own
    if ([...password].length > MAX || bytes && new TextEncoder().encode(password).length > bytes) return text.passwordTooLong;
    return /[\ud800-\udfff]/u.test(password) ? text.passwordContainsNul : ""; // half a character has no UTF-8
  };
  const refusal = ({status, json}) => {
    if (status === 413) return text.passwordTooLong;
    if (status === 415) return text.passwordContainsNul;
    const details = json.details && json.details[0];
    return reason(json.errors || details && details.errors);
  };

  // A state without the form. `name` survives a reload and Back, in the history's entry.
  const rest = (name, what, {canRetry = false, canAsk = false} = {}) => {
    form.hidden = true;
    retry.hidden = !canRetry;
    again.hidden = !canAsk;
    if (signIn) {
      signIn.hidden = name === "checking";
      signIn.firstElementChild.className = name === "done" ? "button" : "";
    }
    face(name, what);
    if (name !== "checking") heading.focus();
  };
  const remember = (name) => history.replaceState({rekey: name}, "", location.pathname);
  const dead = () => { token = null; remember("dead"); rest("dead", text.dead, {canAsk: true}); };

  const ready = (email) => {
    username.value = email;
    username.disabled = !email;
    owner.textContent = email ? text.for.replace("{address}", () => "\u2068" + email + "\u2069") : "";
    face("form", "");
    retry.hidden = again.hidden = true;
    if (signIn) signIn.hidden = true;
    say("", "");
    form.hidden = false;
    field.focus();
  };

  const check = async () => {
    const found = token;
    rest("checking", text.checking);
    try {
      const answer = await post(base + "/validate-password-reset", {token: found});
      if (token !== found) return; // the person opened another link meanwhile
      if (answer.status === 200) ready(answer.json.email || "");
      else if (answer.status === 429) rest("throttled", throttled(answer), {canRetry: true, canAsk: true});
      else if (answer.status >= 500) rest("failed", text.failed, {canRetry: true});
      else dead(); // 204 is a request's token
    } catch (_) {
      if (token === found) rest("offline", text.offline, {canRetry: true});
    }
  };

  // What mail programs and people add to a link is not its token. A token with less or more characters is not whole.
  const tokenIn = (hash) => {
    let found = hash;
    try { found = decodeURIComponent(hash); } catch (_) { /* a percent sign of its own */ }
    found = found.slice(found.indexOf("token=") + "token=".length);
    const whole = (one) => (/^[A-Za-z0-9]+/.exec(one.trim()) || [""])[0];
    // A line may have been broken within the token.
    return [whole(found), whole(found.replace(/[\s\u00ad\u200b-\u200d\u2060\ufeff]/g, ""))].find((one) => one.length === TOKEN);
  };

  const open = () => {
    const hash = location.hash;
    const before = history.state && history.state.rekey;
    token = null;
    field.removeAttribute("aria-invalid");
    if (hash.includes("token")) {
      token = tokenIn(hash) || null;
      // Remove the token from the address bar and the history, so that a shared or photographed screen does not show it.
      remember(token ? "opened" : "incomplete");
      if (token) check(); else rest("incomplete", text.incomplete, {canAsk: true});
    } else {
      const name = before || "incomplete";
      remember(name);
      rest(name, sentences(text[name]), {canAsk: name !== "done"});
    }
  };

  // Shows nothing if the check fails: setting the password checks it again and reports errors.
  const look = async () => {
    const password = field.value;
    const mine = judging = new AbortController();
    try {
      const answer = await post(api + "/auth/reset/validate-password", {password, token}, mine);
      if (judging !== mine) return; // overtaken by the next key
      if (answer.status === 200) say(text.fine, "good");
      else if ([400, 413, 415].includes(answer.status)) say(refusal(answer), "bad");
    } catch (_) { /* overtaken, or offline */ }
  };

  let timer = 0;
  const forget = () => { clearTimeout(timer); if (judging) judging.abort(); judging = null; say("", ""); };
  field.addEventListener("input", () => {
    forget();
    field.removeAttribute("aria-invalid");
    const reason = unusable(field.value);
    if (reason) say(reason, "bad");
    // The hint already gives the minimum length.
    else if ([...field.value].length >= field.minLength) timer = setTimeout(look, PAUSE);
  });

  const conceal = () => { show.checked = false; field.type = "password"; };
  show.addEventListener("change", () => { field.type = show.checked ? "text" : "password"; });

  const finish = () => {
    token = null;
    field.value = "";
    conceal();
    remember("done"); // on which Chromium also offers to save the password
    rest("done", text.done);
  };

  const refuse = (what) => {
    field.setAttribute("aria-invalid", "true");
    say(what || text.failed, "bad");
    field.focus();
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const used = token;
    const wasOnline = navigator.onLine;
    forget();
    const reason = unusable(field.value);
    if (reason) { refuse(reason); return; }
    button.disabled = true;
    say(text.setting, "");
    try {
      const answer = await post(base + "/complete-password", {token: used, password: field.value});
      if (token !== used) return; // the person opened another link meanwhile
      const {status} = answer;
      if (status === 204) finish();
      else if (status === 404) dead();
      else if ([400, 413, 415, 422].includes(status)) refuse(refusal(answer));
      else {
        say(status === 429 ? throttled(answer) : status >= 500 ? text.uncertain : text.failed, "bad");
        field.focus();
      }
    } catch (_) {
      if (token !== used) return;
      // Without a network nothing was sent. Otherwise the answer may have been lost on its way.
      say(wasOnline ? text.uncertain : text.offline, "bad");
      field.focus();
    } finally {
      button.disabled = false;
    }
  });

  retry.addEventListener("click", check);
  // On a shared computer, somebody who goes back to this page must not find the password in it.
  addEventListener("pagehide", () => {
    token = null;
    field.value = username.value = owner.textContent = "";
    forget();
    conceal();
  });
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  // Opening a second link in the same tab changes only the fragment, and does not reload the page.
  addEventListener("hashchange", () => { if (location.hash) open(); });
  open();
})();
