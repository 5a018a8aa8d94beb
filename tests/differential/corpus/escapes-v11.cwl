# Before v1.2 a backslash before any character goes, in a text that has an expression.
cwlVersion: v1.1
class: CommandLineTool
baseCommand: [printf, '%s\n']
arguments:
  - \$(not.evaluated) $(inputs.n)
  - "a\\tb $(inputs.n)"
  - "a\\tb"
  - "\\\\$(inputs.n)"
  - "$(inputs.n)\\\\"
inputs: {n: int}
outputs: {arguments: stdout}
stdout: arguments.txt
