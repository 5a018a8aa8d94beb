cwlVersion: v1.2
class: CommandLineTool
$namespaces: {ex: "http://example.org/"}
baseCommand: cat
inputs: {file: {type: File, format: [ex:text, ex:other], inputBinding: {}}}
outputs: {same: {type: File, format: $(inputs.file.format), outputBinding: {glob: same.txt}}}
stdout: same.txt
