cwlVersion: v1.2
class: CommandLineTool
requirements:
  EnvVarRequirement: {envDef: {GREETING: "hello $(inputs.name)", EMPTY: ""}}
  ResourceRequirement: {coresMin: 1, ramMin: 128}
  InlineJavascriptRequirement: {}
baseCommand:
  - sh
  - -c
  - 'echo "$GREETING:$EMPTY:${UNKNOWN-unset}"; test "$HOME" = "$(pwd)" && test -d "$TMPDIR" && echo fine'
inputs: {name: string}
outputs: {said: stdout, ram: {type: boolean, outputBinding: {outputEval: $(runtime.ram >= 128)}}}
stdout: said.txt
