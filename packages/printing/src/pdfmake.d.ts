// What we use of pdfmake. Its published types bring those of a browser along, which change those of `fetch` everywhere.
declare module 'pdfmake' {
  interface Definition {
    readonly pageSize: string;
    readonly pageMargins: readonly number[];
    readonly defaultStyle: object;
    readonly info: { readonly title: string; readonly creationDate: Date };
    readonly language: string;
    readonly content: unknown;
    footer(page: number, pages: number): unknown;
  }
  const pdfmake: {
    setFonts(fonts: object): void;
    setLocalAccessPolicy(allows: (path: string) => boolean): void;
    setUrlAccessPolicy(allows: (url: string) => boolean): void;
    setTableLayouts(layouts: object): void;
    createPdf(definition: Definition): { getBuffer(): Promise<Uint8Array> };
  };
  export default pdfmake;
}
