// The local stack, as a user runs it: its binary with the functions under `cargo lambda watch`. run.sh has built them.

import {spawn} from "node:child_process";
import {createServer} from "node:net";
import {resolve} from "node:path";
import {createInterface} from "node:readline";

export const ROOT = resolve(import.meta.dirname, "../..");

const TARGET = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target");

/** The directory for what a run leaves: screenshots of failures, and the stacks' data. */
export const OUTPUT = resolve(TARGET, "browser");

export const FORGOT = "/organizations/reset-password";
export const CHOOSE = "/organizations/complete-password";
export const VALIDATE = "/organizations/validate-password-reset";
export const CHECK = "/auth/reset/validate-password";

/** A token of the right form that was never issued. */
export const DEAD = "A".repeat(20);

/** Three ports that are free now. */
const freePorts = async () => {
  const servers = [0, 1, 2].map(() => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => new Promise((listens) => server.once("listening", listens))));
  const ports = servers.map((server) => String(server.address().port));
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
};

const post = (url, body, headers) =>
  fetch(url, {method: "POST", headers: {"Content-Type": "application/json", ...headers}, body: JSON.stringify(body)});

const pause = (milliseconds) => new Promise((over) => setTimeout(over, milliseconds));

/** A running stack on its own ports, with its own database. */
export class Stack {
  #process;
  #ended;
  #people = 0;

  /** Starts a stack with the variables `settings`, and waits until it is ready. */
  static async start(settings) {
    const stack = new Stack();
    const [api, dynamodb, mail] = await freePorts();
    stack.api = `http://127.0.0.1:${api}`;
    stack.dynamodb = `http://127.0.0.1:${dynamodb}`;
    stack.mail = `http://127.0.0.1:${mail}`;
    const ports = ["--api-port", api, "--dynamodb-port", dynamodb, "--mail-port", mail];
    const command = [resolve(TARGET, "debug/local"), ...ports, "--data-dir", resolve(OUTPUT, `stack-${api}`)];
    // The kernel ends the stack if this process dies, however it dies.
    stack.#process = spawn("setpriv", ["--pdeathsig", "TERM", ...command], {
      env: {...process.env, CARGO_TARGET_DIR: TARGET, ...settings},
      stdio: ["ignore", "pipe", "pipe"],
    });
    stack.#ended = new Promise((ended) => stack.#process.once("close", ended));
    const output = [];
    const ready = new Promise((found) => {
      for (const stream of [stack.#process.stdout, stack.#process.stderr]) {
        createInterface(stream).on("line", (line) => {
          output.push(line);
          if (line === `ready ${stack.api}`) found(true);
        });
      }
    });
    if (await Promise.race([ready, stack.#ended]) !== true) throw new Error(`no stack:\n${output.join("\n")}`);
    return stack;
  }

  async end() {
    this.#process.kill("SIGTERM");
    await this.#ended;
  }

  post(path, body, headers) {
    return post(this.api + path, body, headers);
  }

  /** The address of a new account, so that tests do not meet in each other's limits. */
  async account() {
    const email = `person-${this.#people += 1}@example.com`;
    await this.store(email);
    return email;
  }

  /** Makes an account with the address `email`. */
  async store(email) {
    const headers = {
      "X-Amz-Target": "DynamoDB_20120810.PutItem",
      "X-Amz-Date": "20200101T000000Z",
      "Authorization": "AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
    };
    const item = {TableName: "rekey-accounts", Item: {email: {S: email}}};
    const stored = await post(this.dynamodb, item, headers);
    if (!stored.ok) throw new Error(await stored.text());
  }

  /** Waits until there are `count` mails to `email`; returns all, newest first. */
  async mails(email, count) {
    const end = performance.now() + 15_000;
    for (;;) {
      const all = await (await fetch(`${this.mail}/messages`)).json();
      const mails = all.filter((mail) => [mail.to].flat().includes(email));
      if (mails.length >= count) return mails;
      if (performance.now() > end) throw new Error(`${mails.length} instead of ${count} mails to ${email}`);
      await pause(50);
    }
  }

  /** Asks for a mail to `email`, or to a new account, as the page does in `language`; returns its link. */
  async link(email, language = "en") {
    email ??= await this.account();
    const opened = await this.post(FORGOT, {email}, {"Accept-Language": language});
    await this.post(VALIDATE, {email, token: (await opened.json()).reset_token});
    return linkIn((await this.mails(email, 1))[0]);
  }
}

/** The page "Choose a new password" with `token`. */
export const choose = (token) => `${CHOOSE}#token=${token}`;

/** The link in a mail's HTML. */
export const linkIn = (mail) => mail.html.match(/href="([^"]+)"/)[1];
