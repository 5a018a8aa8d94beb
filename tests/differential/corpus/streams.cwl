cwlVersion: v1.1
class: CommandLineTool
baseCommand: [sh, -c, 'tr a-z A-Z; echo "to stderr" >&2']
inputs: {text: stdin}
outputs: {out: stdout, err: stderr}
stdout: $(inputs.text.nameroot).out
stderr: err.txt
