// Verifies notifications with the Standard Webhooks library: JSON lines in, verdicts out.
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  let verdict = "ok";
  try {
    new Webhook(secret).verify(body, headers);
  } catch (why) {
    verdict = String(why.message);
  }
  console.log(verdict);
}
