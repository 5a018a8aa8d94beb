cwlVersion: v1.2
class: CommandLineTool
id: echo
label: Echo
doc: Writes a message into a file.
baseCommand: echo
inputs:
  message:
    type: string
    label: What to say
    inputBinding: {position: 1}
stdout: said.txt
outputs:
  said: stdout
