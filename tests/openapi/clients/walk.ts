// Calls every operation with the types that openapi-typescript generates as rekey.ts, and prints their methods and paths.
//
//   node walk.js API MAIL KEY

import createClient from "openapi-fetch";
import type {components, paths} from "./rekey.js";

declare const process: {argv: string[]};

const [api, mail, key] = process.argv.slice(2);
const email = "jweir@projectthanos.com";
const password = "seven quiet otters cross";
const tooShort: components["schemas"]["PasswordProblemCode"] = "password_too_short";
const notLive: components["schemas"]["Problem"]["code"] = "token_not_live";

const called = new Set<string>();
const client = createClient<paths>({baseUrl: api});
client.use({onRequest: ({request, schemaPath}) => { called.add(`${request.method} ${schemaPath}`); }});

const require = (holds: boolean, what: unknown) => { if (!holds) throw new Error(JSON.stringify(what)); };

/** The answer of a call, which must have this `status`. */
const answered = async <Answer extends {response: Response}>(status: number, call: Promise<Answer>): Promise<Answer> => {
  const answer = await call;
  require(answer.response.status === status, [answer.response.url, answer.response.status, answer]);
  return answer;
};

/** The reset tokens that were mailed, newest first. */
const tokens = async (): Promise<string[]> => {
  const mails: {to: string, text: string}[] = await (await fetch(`${mail}/messages`)).json();
  return mails.filter(({to}) => to === email).flatMap(({text}) => /#token=(\w{20})/.exec(text)?.[1] ?? []);
};

/** The token in the mail that `order` has sent. */
const mailed = async (order: () => Promise<unknown>): Promise<string> => {
  const before = (await tokens()).length;
  await order();
  for (let tries = 0; tries < 200; tries += 1) {
    const [newest, ...older] = await tokens();
    if (newest !== undefined && older.length >= before) return newest;
    await new Promise((over) => setTimeout(over, 100));
  }
  throw new Error("no mail");
};

for (const base of ["", "/timp", "/api"] as const) {
  const complete = `${base}/organizations/complete-password/` as const;
  const opened = await answered(200, client.POST(`${base}/organizations/reset-password/`, {body: {email}}));
  const request = opened.data?.reset_token ?? "";
  const token = await mailed(() => answered(204, client.GET(complete, {params: {query: {token: request, email}}})));
  await answered(204, client.GET(complete, {params: {query: {token}}}));
  const live = await answered(200, client.POST("/organizations/validate-password-reset/", {body: {token}}));
  require(live.data?.email === email, live.data);
  const refused = await answered(422, client.POST(complete, {body: {token, password: "short"}}));
  require(refused.error?.errors?.[0]?.code === tooShort, refused.error);
  await answered(204, client.POST(complete, {body: {token, password}}));
  const dead = await answered(404, client.POST(complete, {body: {token, password}}));
  require(dead.error?.code === notLive, dead.error);
}

const token = await mailed(() => answered(200, client.POST("/auth/reset/password-email", {body: {email}, parseAs: "text"})));
const user = await answered(200, client.GET("/auth/reset/validate", {params: {query: {token}}}));
require(user.data?.email === email, user.data);
const refused = await answered(400, client.POST("/auth/reset/validate-password", {body: {password: "short", token}}));
require(refused.error?.details[0]?.errors?.[0]?.code === tooShort, refused.error);
await answered(200, client.POST("/auth/reset/validate-password", {body: {password, token}, parseAs: "text"}));
await answered(200, client.POST("/auth/reset/password", {body: {token, password}, parseAs: "text"}));

await answered(401, client.POST("/organizations/invite/", {body: {email}}));

const headers = {Authorization: `Bearer ${key}`};
const invited = await mailed(() => answered(204, client.POST("/organizations/invite/", {body: {email}, headers})));
await answered(204, client.POST("/organizations/complete-password/", {body: {token: invited, password}}));

for (const page of ["/organizations/reset-password/", "/organizations/complete-password/"] as const) {
  const shown = await answered(200, client.GET(page, {parseAs: "text"}));
  require(String(shown.data).startsWith("<!doctype html>"), page);
}

console.log(JSON.stringify([...called]));
