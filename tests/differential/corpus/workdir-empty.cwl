# An empty array of files puts nothing in place.
cwlVersion: v1.2
class: CommandLineTool
requirements:
  InlineJavascriptRequirement: {}
  InitialWorkDirRequirement: {listing: [{entry: $(inputs.files)}]}
baseCommand: [sh, -c, 'ls | wc -l | tr -d " "']
inputs: {files: "File[]"}
outputs: {count: stdout}
stdout: count.txt
