# One scene in, a number out
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
  - class: Workflow
    id: pattern-06
    label: One scene in, a number out
    doc: "A statistic of one scene: nothing is published."
    inputs:
      scene: {type: Directory, label: a scene, doc: a scene}
    outputs:
      mean: {type: float, outputSource: mean/mean}
    steps:
      mean:
        run: '#mean'
        in: {scene: scene}
        out: [mean]

  - class: CommandLineTool
    id: mean
    requirements: {InlineJavascriptRequirement: {}}
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      scene: {type: Directory, inputBinding: {position: 1}}
    arguments: [python3, $(inputs.script.path), mean]
    stdout: mean.txt
    outputs:
      mean:
        type: float
        outputBinding: {glob: mean.txt, loadContents: true, outputEval: '$(parseFloat(self[0].contents))'}
