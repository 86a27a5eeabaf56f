/** Files that the build puts in as base64 texts. */
declare module "*.wasm" {
  const text: string;
  export default text;
}
