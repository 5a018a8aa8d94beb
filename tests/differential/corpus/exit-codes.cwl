cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, 'exit $0']
inputs: {code: {type: int, inputBinding: {}}}
outputs: {code: {type: int, outputBinding: {outputEval: $(runtime.exitCode)}}}
successCodes: [0, 3]
permanentFailCodes: [1]
