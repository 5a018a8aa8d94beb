cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, 'for one; do basename -- "$one"; done', sh]
inputs:
  text_or_file: {type: [File, string], inputBinding: {position: 1}}
  number_or_text: {type: [int, string], inputBinding: {position: 2}}
  one_or_many: {type: [string, "string[]"], inputBinding: {position: 3}}
  maybe: {type: ["null", File, Directory], inputBinding: {position: 4}}
outputs: {said: stdout}
stdout: said.txt
