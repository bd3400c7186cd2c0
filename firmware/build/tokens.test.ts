import { describe, expect, test } from "vitest";
import { tokenise, untokenise } from "./tokens.ts";

function bytes(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}

describe("tokens", () => {
  test.each([
    ["a word and an operator", "throw a===b", "b0618b62"],
    ["what terser writes for true, false and undefined", "a=!0,b=!1,c=void 0", "613db42c623db52c633db7"],
    ["an integer that is shorter in a byte", "f(100,-5,12)", "66" + "28" + "d464" + "2c" + "d4fb" + "2c3132" + "29"],
    ["an integer that is shorter in two", "f(1024,-300,32768)", "6628d500042cd5d4fe2c333237363829"],
    ["a string with escapes", 'f("\\xff\\xffA\\n")', "6628d104ffff410a29"],
    ["a string without", 'f("abc")', "6628226162632229"],
    ["a template stays text", "f(`return ${a===b}`)", bytes("f(`return ${a===b}`)")],
    ["a regular expression stays text", "f(/if|x/)", bytes("f(/if|x/)")],
    ["signs that must stay apart", "a- -b", bytes("a- -b")],
    ["words that must stay apart", "a in b", "61b962"],
    ["an exception is caught in text", "try{f()}catch(e){}", `b1${bytes("{f()}catch(e){}")}`],
  ])("%s", (_, code, expected) => expect(bytes(tokenise(code))).toBe(expected));

  test.each([
    "for(var i=0;i<1e3;i++)a[i]=-1-i- -127+128-32768+32767",
    'if(typeof a=="string"||!b)throw"\\x00\\x80\\"\\\\";else c=!c',
    "switch(a){case 1:case-7:c=void 0;default:f(`${b?`x`:'y'}`,/[/]in/g)}",
    "do{x>>>=1}while(x!==-129&&y instanceof Z);delete a.b",
    "var f=a=>b=>({c:a,in:b,1:2}),g=function(){return new this.X(!0,!1,null)}",
    "a=-.5+1.25-1e-7-4294967295",
  ])("%s comes back", (code) => {
    const tokens = tokenise(code);
    const text = untokenise(tokens);
    expect(tokenise(text)).toBe(tokens);
    expect([...tokens].every((one) => one.charCodeAt(0) < 256)).toBe(true);
  });

  test("packed integers come back with their sign", () => {
    for (const value of [0, 1, 99, 100, 127, 128, 255, 256, 32767, 32768, -1, -100, -128, -129, -32768, -32769]) {
      const text = untokenise(tokenise(`x=${value}`));
      expect(text.replace(/\s/g, "")).toBe(`x=${value}`);
    }
  });
});
