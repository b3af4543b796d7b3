/** A script of its own, compiled (build.mjs): its text. */
declare module '*?script' {
  const text: string;
  export default text;
}
