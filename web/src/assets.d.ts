// Files that the build copies; importing one gives its URL.
declare module '*.svg' {
  const url: string;
  export default url;
}
