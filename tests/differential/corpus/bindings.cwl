# Every way to bind values, in an order that has to be worked out.
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [printf, '%s\n']
arguments:
  - first
  - {position: 3, prefix: --third, valueFrom: $(inputs.number)}
  - {position: 2, valueFrom: "$(inputs.texts[1])", prefix: -j, separate: false}
  - {position: -1, valueFrom: earliest}
inputs:
  number: {type: double, inputBinding: {position: 2, prefix: -n}}
  small: {type: double, inputBinding: {position: 2}}
  large: {type: long, inputBinding: {position: 2}}
  texts:
    type: string[]
    inputBinding: {position: 1, prefix: -t}
  joined: {type: "int[]", inputBinding: {position: 1, prefix: -j, itemSeparator: ",", separate: false}}
  each:
    type: {type: array, items: string, inputBinding: {prefix: -e, separate: false}}
    inputBinding: {position: 4}
  nested:
    type:
      type: array
      items: {type: array, items: int, inputBinding: {prefix: -i}}
      inputBinding: {prefix: -o}
  yes: {type: boolean, inputBinding: {prefix: --yes}}
  no: {type: boolean, inputBinding: {prefix: --no}}
  nothing: {type: string?, inputBinding: {prefix: --nothing}}
  empty: {type: "string[]", inputBinding: {prefix: --empty}}
  choice: {type: {type: enum, symbols: [one, two]}, inputBinding: {position: 7}}
  either: {type: [int, string, boolean], inputBinding: {prefix: --either, position: 6}}
outputs:
  arguments: stdout
stdout: arguments.txt
