// SPDX-License-Identifier: MIT
//
// trusted.ts: the only place that may name a script to run.
// The page's policy forbids all others; ours lets through our own assets.

interface Policy {
  createScriptURL(url: string): unknown;
}
interface Factory {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): Policy;
}

const factory = (globalThis as unknown as { trustedTypes?: Factory }).trustedTypes;
const policy = factory?.createPolicy("gowtf", {
  createScriptURL: (url) => {
    if (!/^\/assets\/[\w.-]+\.js$/.test(url)) throw new TypeError("not an asset of ours");
    return url;
  },
});

export function trustedScriptUrl(url: string): string {
  return (policy ? policy.createScriptURL(url) : url) as string;
}
