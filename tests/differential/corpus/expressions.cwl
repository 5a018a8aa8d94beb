# cwltool writes 1e21 and 1e-7 with an exponent into texts; CWL v1.2 wants decimals (conformance test
# very_big_and_very_floats), so such numbers are left to tests/cwl/test_expressions.py.
cwlVersion: v1.2
class: CommandLineTool
requirements:
  InlineJavascriptRequirement:
    expressionLib:
      - "function twice(n) { return 2 * n; }"
      - {$include: library.js}
baseCommand: [printf, '%s\n']
arguments:
  - $(twice(inputs.n))
  - ${ return half(inputs.n); }
  - $(inputs.o)
  - <$(inputs.o)>
  - <$(inputs.l)><$(inputs.none)><$(inputs.n)><$(inputs.d)><$(true)>
  - \$(not.evaluated) and \${neither}
  - "back\\\\slash \\\\$(inputs.n)"
  - $(inputs.l.length)$(inputs.l[1])
  - $(inputs.o['a b'])$(inputs.o["c'd"])
  - "$(function() { return {b: 1, a: [1, {c: null}]}; }())"
  - $([1.5, "x"].map(function (one) { return one + "!"; }).join(")"))
  - $(0.1 + 0.2)
  - $(1e15)|$(1e-4)|$(-0)|$(1/3)
  - $(inputs.f.basename) $(inputs.f.nameroot) $(inputs.f.nameext) $(inputs.f.size)
  - $(runtime.cores)
  - $("\u00e9\u2028")
inputs:
  n: int
  d: double
  o: Any
  l: Any
  none: Any?
  f: File
outputs:
  arguments: stdout
  n: {type: int, outputBinding: {outputEval: $(inputs.n + 1)}}
  t: {type: string, outputBinding: {glob: arguments.txt, loadContents: true, outputEval: "$(self[0].contents.split('\\n')[0])"}}
  o: {type: Any, outputBinding: {outputEval: "$({o: inputs.o, l: inputs.l})"}}
  code: {type: int, outputBinding: {outputEval: $(runtime.exitCode)}}
  nan: {type: Any?, outputBinding: {outputEval: $(0 / 0)}}
stdout: arguments.txt
