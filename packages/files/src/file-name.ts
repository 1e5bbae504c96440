const longest = 200;
const unnamed = 'file';

/** What Windows, macOS or a desktop runs or installs when somebody opens it. */
const programs = new Set(
  [
    'app apk appref-ms appx bat cmd com cpl dll dmg exe gadget hta inf ins iso jar jnlp js jse lnk msc msi msix msp',
    'mst pif pkg ps1 psc1 reg scf scr sct settingcontent-ms sh sys url vb vbe vbs website ws wsc wsf wsh',
  ].flatMap((names) => names.split(' ')),
);
const programTypes = new Set([
  'application/java-archive',
  'application/java-vm',
  'application/vnd.android.package-archive',
  'application/vnd.ms-htmlhelp',
  'application/wasm',
  'application/x-elf',
  'application/x-mach-binary',
  'application/x-ms-regedit',
  'application/x-ms-shortcut',
  'application/x-msdownload',
]);

/**
 * A name as it can be shown and saved anywhere, made of what the sender calls the file: its last part where it is a path,
 * without characters that are not seen, turn the text around, or mean something to a file system.
 *
 * Units: at most 200 UTF-16 code units; a longer name loses its middle and keeps its extension.
 */
export function fileNameOf(given: string): string {
  const name = given
    .normalize('NFC')
    .replace(/^.*[\\/]/s, '')
    // Joiners are letters of some scripts; whatever else has no shape of its own goes.
    .replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(/\p{Zs}+/gu, ' ')
    .replace(/[<>:"|?*]/g, '_')
    .replace(/^[ .]+|[ .]+$/g, '') // Windows drops them at the end, and `invoice.exe.` becomes a program
    .replace(/^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(?= *(?:\.|$))/i, '_$1'); // devices of Windows
  return shortened(name) || unnamed;
}

/** Whether opening a file of this name would run it. Only the last extension counts, for a system as for us. */
export function isNameOfProgram(name: string): boolean {
  return programs.has(extensionOf(name).slice(1).toLowerCase());
}

export function isTypeOfProgram(contentType: string): boolean {
  return programTypes.has(contentType);
}

/** With its dot; empty where there is none. */
function extensionOf(name: string): string {
  return /\.[^.\s]{1,20}$/.exec(name)?.[0] ?? '';
}

function shortened(name: string): string {
  if (name.length <= longest) return name;
  const extension = extensionOf(name);
  // A cut in the middle of a surrogate pair would leave half a character.
  const beginning = name.slice(0, longest - extension.length - 1).replace(/[\ud800-\udbff]$/, '');
  return `${beginning}…${extension}`;
}
