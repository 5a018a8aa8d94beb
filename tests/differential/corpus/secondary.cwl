cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
baseCommand: [sh, -c, 'cat "$0" "$(dirname "$0")/scene.tfw"; for i in out out.i other; do printf $i > $i; done']
inputs:
  scene:
    type: File
    secondaryFiles: [^.tfw, .ovr, .missing?, {pattern: ^.never, required: false}]
    inputBinding: {position: 1}
arguments:
  - {position: 2, valueFrom: "$(inputs.scene.secondaryFiles.map(function (one) { return one.basename; }).join())"}
outputs:
  said: stdout
  out: {type: File, outputBinding: {glob: out}, secondaryFiles: [.i, .j, $(inputs.scene.nameroot), '$("other")']}
  passed: {type: File, outputBinding: {outputEval: $(inputs.scene)}}
stdout: said.txt
