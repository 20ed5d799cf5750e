// What is checked in a browser → a line each, and how many held.

let passed = 0;
let failed = 0;

/** Says whether `what` held, and what was seen where it did not. */
export function check(what, held, seen) {
  if (held) passed++;
  else failed++;
  console.log(`${held ? "ok  " : "FAIL"} ${what}${held || seen === undefined ? "" : `: ${JSON.stringify(seen)}`}`);
}

/** Says how many held, and ends the process: with 1 where one did not. */
export function end() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
