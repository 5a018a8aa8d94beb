cwlVersion: v1.2
class: CommandLineTool
requirements: {ShellCommandRequirement: {}}
baseCommand: [cat, it's]
arguments:
  - {valueFrom: "2>/dev/null; echo ", shellQuote: false, position: 1}
  - {valueFrom: "$HOME", position: 2}
  - {valueFrom: "| tr a-z A-Z", shellQuote: false, position: 4}
inputs:
  words: {type: "string[]", inputBinding: {position: 3}}
outputs: {said: stdout}
stdout: said.txt
