cwlVersion: v1.2
class: CommandLineTool
requirements:
  InlineJavascriptRequirement: {}
  InitialWorkDirRequirement:
    listing:
      - {entryname: text.txt, entry: "a text for $(inputs.name)\n"}
      - {entryname: script.sh, entry: "echo \\$(date) \\$HOME $(inputs.name)\n"}
      - {entryname: data.json, entry: $(inputs.data)}
      - {entryname: number.json, entry: $(inputs.data.n)}
      - {entryname: sub/renamed.txt, entry: $(inputs.file)}
      - {entryname: mine.txt, entry: $(inputs.file), writable: true}
      - {entry: $(inputs.files)}
      - {entryname: never.txt, entry: $(inputs.none)}
      - $(inputs.folder)
      - '$({class: "File", basename: "literal.txt", contents: "literal"})'
      - ${ return [null, {entryname: "dirent.txt", entry: "dirent"}]; }
baseCommand:
  - sh
  - -c
  - |
    printf more >> mine.txt
    find -L . -type f ! -name report.txt | LC_ALL=C sort | while read f; do echo "$f"; cat "$f"; done
inputs:
  name: string
  data: Any
  file: File
  files: File[]
  none: Any?
  folder: Directory
outputs:
  report: stdout
  all: {type: Directory, outputBinding: {glob: sub}}
stdout: report.txt
