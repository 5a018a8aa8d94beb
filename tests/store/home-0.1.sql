BEGIN TRANSACTION;
CREATE TABLE events (
  job INTEGER NOT NULL REFERENCES jobs (n) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  data TEXT NOT NULL,
  progress INTEGER,
  message TEXT,
  PRIMARY KEY (job, seq)
) WITHOUT ROWID;
INSERT INTO "events" VALUES(1,1,'accepted',1740838822778371,'{"inputs":{"seed":{"class":"File","location":"file://{ROOT}/seed.txt","basename":"seed.txt"}},"outputs":null,"executor":"local","results":"file://{ROOT}/home/results","trigger":"manual","reason":"","run_as":"jane","environment":"","service":"","title":"it went well","tags":["kept"],"derived_from":null,"reuse":null,"policy":{"roots":null,"guarded":false,"most":null},"subscriber":{},"options":{}}',NULL,'accepted');
INSERT INTO "events" VALUES(1,2,'started',1740838822795104,'{}',NULL,'started');
INSERT INTO "events" VALUES(1,3,'step-submitted',1740838822795226,'{"key":"stage_in","name":"stage_in","attempt":1,"log":"node_stage_in.log","command":[]}',NULL,NULL);
INSERT INTO "events" VALUES(1,4,'step-running',1740838822795243,'{"name":"stage_in"}',NULL,'staging inputs');
INSERT INTO "events" VALUES(1,5,'step-finished',1740838822796496,'{"name":"stage_in","status":"successful","outputs":{"seed":{"class":"File","location":"file://{ROOT}/seed.txt","basename":"seed.txt","size":4},"code":0}}',2,NULL);
INSERT INTO "events" VALUES(1,6,'step-submitted',1740838822796993,'{"key":"first","name":"first","attempt":1,"log":"node_first.log","command":["cat","{ROOT}/seed.txt"],"tmpdir":"{ROOT}/home/tmp/cee3845a44411298/1"}',NULL,'running first');
INSERT INTO "events" VALUES(1,7,'step-finished',1740838822895743,'{"name":"first","status":"successful","exit_code":0,"started":"2025-03-01T14:20:22.888208+00:00","ended":"2025-03-01T14:20:22.894908+00:00","rss":11332,"cpu":0.000804,"outputs":{"text":"seed"}}',49,NULL);
INSERT INTO "events" VALUES(1,8,'step-submitted',1740838822896060,'{"key":"second","name":"second","attempt":1,"log":"node_second.log","command":["sh","-c","sleep 0.3; echo \"$0 again\"; exit $1","seed","0"],"tmpdir":"{ROOT}/home/tmp/cee3845a44411298/1"}',NULL,'running second');
INSERT INTO "events" VALUES(1,9,'step-running',1740838822948344,'{"name":"second","started":"2025-03-01T14:20:22.896576+00:00"}',NULL,NULL);
INSERT INTO "events" VALUES(1,10,'step-finished',1740838823201737,'{"name":"second","status":"successful","exit_code":0,"started":"2025-03-01T14:20:22.896576+00:00","ended":"2025-03-01T14:20:23.200942+00:00","rss":11332,"cpu":0.001398,"outputs":{"all":{"class":"File","location":"file://{ROOT}/home/jobs/01a22287-4f7a-7b4c-bdb2-0482113e46ea/work/second/all.txt","basename":"all.txt","size":11,"checksum":"sha1$3adad5489f2428ff86504b9afed4a9a108753525"}}}',97,NULL);
INSERT INTO "events" VALUES(1,11,'step-submitted',1740838823201809,'{"key":"stage_out","name":"stage_out","attempt":1,"log":"node_stage_out.log","command":[]}',NULL,NULL);
INSERT INTO "events" VALUES(1,12,'step-running',1740838823201826,'{"name":"stage_out"}',NULL,'publishing results');
INSERT INTO "events" VALUES(1,13,'step-finished',1740838823206733,'{"name":"stage_out","status":"successful"}',NULL,NULL);
INSERT INTO "events" VALUES(1,14,'succeeded',1740838823206774,'{"outputs":{"all":{"class":"File","location":"file://{ROOT}/home/results/01a22287-4f7a-7b4c-bdb2-0482113e46ea/all.txt","basename":"all.txt","size":11,"checksum":"sha1$3adad5489f2428ff86504b9afed4a9a108753525"},"text":"seed"},"features":{}}',NULL,'successful');
INSERT INTO "events" VALUES(2,1,'accepted',1740838823207444,'{"inputs":{"seed":{"class":"File","location":"file://{ROOT}/seed.txt","basename":"seed.txt"},"code":3},"outputs":null,"executor":"local","results":"file://{ROOT}/home/results","trigger":"manual","reason":"","run_as":"jane","environment":"","service":"","title":"it failed","tags":[],"derived_from":null,"reuse":null,"policy":{"roots":null,"guarded":false,"most":null},"subscriber":{},"options":{}}',NULL,'accepted');
INSERT INTO "events" VALUES(2,2,'started',1740838823208231,'{}',NULL,'started');
INSERT INTO "events" VALUES(2,3,'step-submitted',1740838823208276,'{"key":"stage_in","name":"stage_in","attempt":1,"log":"node_stage_in.log","command":[]}',NULL,NULL);
INSERT INTO "events" VALUES(2,4,'step-running',1740838823208294,'{"name":"stage_in"}',NULL,'staging inputs');
INSERT INTO "events" VALUES(2,5,'step-finished',1740838823210657,'{"name":"stage_in","status":"successful","outputs":{"seed":{"class":"File","location":"file://{ROOT}/seed.txt","basename":"seed.txt","size":4},"code":3}}',2,NULL);
INSERT INTO "events" VALUES(2,6,'step-submitted',1740838823211032,'{"key":"first","name":"first","attempt":1,"log":"node_first.log","command":["cat","{ROOT}/seed.txt"],"tmpdir":"{ROOT}/home/tmp/cee3845a44411298/1"}',NULL,'running first');
INSERT INTO "events" VALUES(2,7,'step-finished',1740838823233629,'{"name":"first","status":"successful","exit_code":0,"started":"2025-03-01T14:20:23.211505+00:00","ended":"2025-03-01T14:20:23.232921+00:00","rss":11332,"cpu":0.000913,"outputs":{"text":"seed"}}',49,NULL);
INSERT INTO "events" VALUES(2,8,'step-submitted',1740838823233921,'{"key":"second","name":"second","attempt":1,"log":"node_second.log","command":["sh","-c","sleep 0.3; echo \"$0 again\"; exit $1","seed","3"],"tmpdir":"{ROOT}/home/tmp/cee3845a44411298/1"}',NULL,'running second');
INSERT INTO "events" VALUES(2,9,'step-running',1740838823285277,'{"name":"second","started":"2025-03-01T14:20:23.234529+00:00"}',NULL,NULL);
INSERT INTO "events" VALUES(2,10,'step-finished',1740838823537793,'{"name":"second","status":"failed","exit_code":3,"started":"2025-03-01T14:20:23.234529+00:00","ended":"2025-03-01T14:20:23.536351+00:00","rss":11332,"cpu":0.001414,"problem":{"type":"https://localproc.dev/problems/job-failed","title":"JobFailed","status":500,"detail":"step second failed with exit code 3","hint":"the whole log says more; the step''s folder is kept, with all that it wrote","jobID":"01a22287-5127-767c-8123-f9a885890ef8","step":"second","exitCode":3,"log":"{ROOT}/home/jobs/01a22287-5127-767c-8123-f9a885890ef8/logs/node_second.log","cause":"exit-code"},"said":"step second failed with exit code 3"}',NULL,NULL);
INSERT INTO "events" VALUES(2,11,'failed',1740838823537872,'{"problem":{"type":"https://localproc.dev/problems/job-failed","title":"JobFailed","status":500,"detail":"step second failed with exit code 3","hint":"the whole log says more; the step''s folder is kept, with all that it wrote","jobID":"01a22287-5127-767c-8123-f9a885890ef8","step":"second","exitCode":3,"log":"{ROOT}/home/jobs/01a22287-5127-767c-8123-f9a885890ef8/logs/node_second.log","cause":"exit-code"}}',NULL,'step second failed with exit code 3');
INSERT INTO "events" VALUES(3,1,'accepted',1740838824822490,'{"inputs":{"seed":{"class":"File","location":"file://{ROOT}/seed.txt","basename":"seed.txt"}},"outputs":null,"executor":"local","results":"file://{ROOT}/home/results","trigger":"manual","reason":"","run_as":"jane","environment":"","service":"","title":"it was killed","tags":[],"derived_from":null,"reuse":null,"policy":{"roots":null,"guarded":false,"most":null},"subscriber":{},"options":{}}',NULL,'accepted');
INSERT INTO "events" VALUES(3,2,'started',1740838824851161,'{}',NULL,'started');
INSERT INTO "events" VALUES(3,3,'step-submitted',1740838824851252,'{"key":"stage_in","name":"stage_in","attempt":1,"log":"node_stage_in.log","command":[]}',NULL,NULL);
INSERT INTO "events" VALUES(3,4,'step-running',1740838824851269,'{"name":"stage_in"}',NULL,'staging inputs');
INSERT INTO "events" VALUES(3,5,'step-finished',1740838824853179,'{"name":"stage_in","status":"successful","outputs":{"seed":{"class":"File","location":"file://{ROOT}/seed.txt","basename":"seed.txt","size":4},"code":0}}',2,NULL);
INSERT INTO "events" VALUES(3,6,'step-submitted',1740838824853901,'{"key":"first","name":"first","attempt":1,"log":"node_first.log","command":["cat","{ROOT}/seed.txt"],"tmpdir":"{ROOT}/home/tmp/8f470bbc373dc772/1"}',NULL,'running first');
INSERT INTO "events" VALUES(3,7,'step-finished',1740838824916799,'{"name":"first","status":"successful","exit_code":0,"started":"2025-03-01T14:20:24.911653+00:00","ended":"2025-03-01T14:20:24.916015+00:00","rss":11396,"cpu":0.000988,"outputs":{"text":"seed"}}',49,NULL);
INSERT INTO "events" VALUES(3,8,'step-submitted',1740838824917101,'{"key":"second","name":"second","attempt":1,"log":"node_second.log","command":["sh","-c","sleep 0.3; echo \"$0 again\"; exit $1","seed","0"],"tmpdir":"{ROOT}/home/tmp/8f470bbc373dc772/1"}',NULL,'running second');
INSERT INTO "events" VALUES(3,9,'step-running',1740838824970925,'{"name":"second","started":"2025-03-01T14:20:24.917685+00:00"}',NULL,NULL);
INSERT INTO "events" VALUES(4,1,'accepted',1740838825815832,'{"inputs":{"seed":{"class":"File","location":"file://{ROOT}/seed.txt","basename":"seed.txt"}},"outputs":null,"executor":"local","results":"file://{ROOT}/home/results","trigger":"manual","reason":"","run_as":"jane","environment":"","service":"","title":"it waits","tags":[],"derived_from":null,"reuse":null,"policy":{"roots":null,"guarded":false,"most":null},"subscriber":{},"options":{}}',NULL,'accepted');
CREATE TABLE jobs (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  namespace TEXT NOT NULL,
  process TEXT NOT NULL,
  revision TEXT NOT NULL,
  status TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  started INTEGER,
  finished INTEGER,
  progress INTEGER NOT NULL DEFAULT 0,
  message TEXT NOT NULL DEFAULT '',
  dismiss INTEGER NOT NULL DEFAULT 0,
  hidden INTEGER NOT NULL DEFAULT 0,
  owner TEXT,
  trigger TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  run_as TEXT NOT NULL DEFAULT '',
  environment TEXT NOT NULL DEFAULT '',
  service TEXT NOT NULL DEFAULT '',
  title TEXT NOT NULL DEFAULT '',
  tags TEXT NOT NULL DEFAULT '[]'
);
INSERT INTO "jobs" VALUES(1,'01a22287-4f7a-7b4c-bdb2-0482113e46ea','default','old','b4de522c47b0becd96ee26a49c96a574ea637887387355572dddfd0d40449348','successful',1740838822778371,1740838823206774,1740838822795104,1740838823206774,100,'successful',0,0,'cee3845a44411298','manual','','jane','','','it went well','["kept"]');
INSERT INTO "jobs" VALUES(2,'01a22287-5127-767c-8123-f9a885890ef8','default','old','b4de522c47b0becd96ee26a49c96a574ea637887387355572dddfd0d40449348','failed',1740838823207444,1740838823537872,1740838823208231,1740838823537872,49,'step second failed with exit code 3',0,0,'cee3845a44411298','manual','','jane','','','it failed','[]');
INSERT INTO "jobs" VALUES(3,'01a22287-5776-7273-acce-b94f1693ea21','default','old','b4de522c47b0becd96ee26a49c96a574ea637887387355572dddfd0d40449348','running',1740838824822490,1740838824970925,1740838824851161,NULL,49,'running second',0,0,'8f470bbc373dc772','manual','','jane','','','it was killed','[]');
INSERT INTO "jobs" VALUES(4,'01a22287-5b57-77bf-9cda-f78c791a88c9','default','old','b4de522c47b0becd96ee26a49c96a574ea637887387355572dddfd0d40449348','accepted',1740838825815832,1740838825815832,NULL,NULL,0,'accepted',0,0,NULL,'manual','','jane','','','it waits','[]');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('version','1');
CREATE TABLE outbox (
  n INTEGER PRIMARY KEY,
  job TEXT NOT NULL,
  uri TEXT NOT NULL,
  kind TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL,
  said TEXT NOT NULL DEFAULT ''
);
CREATE TABLE processes (
  namespace TEXT NOT NULL,
  id TEXT NOT NULL,
  revision TEXT NOT NULL,
  current INTEGER NOT NULL,
  version TEXT NOT NULL,
  title TEXT NOT NULL,
  mutable INTEGER NOT NULL,
  deployed INTEGER NOT NULL,
  description TEXT NOT NULL,
  resolved TEXT NOT NULL,
  media_type TEXT NOT NULL,
  entry TEXT NOT NULL,
  PRIMARY KEY (namespace, id, revision)
) WITHOUT ROWID;
INSERT INTO "processes" VALUES('default','old','b4de522c47b0becd96ee26a49c96a574ea637887387355572dddfd0d40449348',1,'0.0.0+b4de522c','What 0.1 ran',1,1740838822756468,'{"id": "old", "title": "What 0.1 ran", "version": "0.0.0+b4de522c", "inputs": {"seed": {"title": "seed", "schema": {"type": "string", "format": "uri"}, "minOccurs": 1, "maxOccurs": 1}, "code": {"title": "code", "schema": {"type": "integer", "format": "int32", "default": 0}, "minOccurs": 0, "maxOccurs": 1}}, "outputs": {"all": {"title": "all", "schema": {"type": "object", "required": ["href"], "properties": {"href": {"type": "string"}, "type": {"type": "string"}}}}, "text": {"title": "text", "schema": {"type": "string"}}}}','{"main": "package.cwl#old", "processes": {"package.cwl#read": {"class": "CommandLineTool", "id": "read", "source": "file://{ROOT}/package.cwl#read", "cwlVersion": "v1.2", "inputs": [{"id": "seed", "type": "File", "inputBinding": {}}], "outputs": [{"id": "text", "type": "string", "outputBinding": {"loadContents": true, "outputEval": "$(self[0].contents)", "glob": "text.txt"}}], "requirements": [], "hints": [], "metadata": {}, "baseCommand": "cat", "stdout": "text.txt"}, "package.cwl#write": {"class": "CommandLineTool", "id": "write", "source": "file://{ROOT}/package.cwl#write", "cwlVersion": "v1.2", "inputs": [{"id": "text", "type": "string", "inputBinding": {"position": 1}}, {"id": "code", "type": "int", "inputBinding": {"position": 2}}], "outputs": [{"id": "all", "type": "stdout"}], "requirements": [], "hints": [], "metadata": {}, "baseCommand": ["sh", "-c", "sleep 0.3; echo \"$0 again\"; exit $1"], "stdout": "all.txt"}, "package.cwl#old": {"class": "Workflow", "id": "old", "source": "file://{ROOT}/package.cwl#old", "cwlVersion": "v1.2", "inputs": [{"id": "seed", "type": "File"}, {"id": "code", "type": "int", "default": 0}], "outputs": [{"id": "all", "type": "File", "source": ["second/all"]}, {"id": "text", "type": "string", "source": ["first/text"]}], "requirements": [], "hints": [], "metadata": {}, "label": "What 0.1 ran", "steps": [{"id": "first", "in": [{"id": "seed", "source": ["seed"]}], "out": ["text"], "scatter": [], "requirements": [], "hints": [], "run": "package.cwl#read"}, {"id": "second", "in": [{"id": "text", "source": ["first/text"]}, {"id": "code", "source": ["code"]}], "out": ["all"], "scatter": [], "requirements": [], "hints": [], "run": "package.cwl#write"}]}}, "metadata": {}, "namespaces": {}, "ontology": {}}','application/cwl+yaml','');
CREATE TABLE texts (
  revision TEXT NOT NULL,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (revision, position)
) WITHOUT ROWID;
INSERT INTO "texts" VALUES('b4de522c47b0becd96ee26a49c96a574ea637887387355572dddfd0d40449348',0,'package.cwl',X'63776C56657273696F6E3A2076312E320A2467726170683A0A2D20636C6173733A20576F726B666C6F770A202069643A206F6C640A20206C6162656C3A205768617420302E312072616E0A2020696E707574733A207B736565643A2046696C652C20636F64653A207B747970653A20696E742C2064656661756C743A20307D7D0A20206F7574707574733A0A20202020616C6C3A207B747970653A2046696C652C206F7574707574536F757263653A207365636F6E642F616C6C7D0A20202020746578743A207B747970653A20737472696E672C206F7574707574536F757263653A2066697273742F746578747D0A202073746570733A0A2020202066697273743A207B72756E3A20272372656164272C20696E3A207B736565643A20736565647D2C206F75743A205B746578745D7D0A202020207365636F6E643A207B72756E3A2027237772697465272C20696E3A207B746578743A2066697273742F746578742C20636F64653A20636F64657D2C206F75743A205B616C6C5D7D0A2D20636C6173733A20436F6D6D616E644C696E65546F6F6C0A202069643A20726561640A202062617365436F6D6D616E643A206361740A2020696E707574733A207B736565643A207B747970653A2046696C652C20696E70757442696E64696E673A207B7D7D7D0A20207374646F75743A20746578742E7478740A20206F7574707574733A0A20202020746578743A207B747970653A20737472696E672C206F757470757442696E64696E673A207B676C6F623A20746578742E7478742C206C6F6164436F6E74656E74733A20747275652C206F75747075744576616C3A2027242873656C665B305D2E636F6E74656E747329277D7D0A2D20636C6173733A20436F6D6D616E644C696E65546F6F6C0A202069643A2077726974650A202062617365436F6D6D616E643A205B73682C202D632C2027736C65657020302E333B206563686F2022243020616761696E223B2065786974202431275D0A2020696E707574733A0A20202020746578743A207B747970653A20737472696E672C20696E70757442696E64696E673A207B706F736974696F6E3A20317D7D0A20202020636F64653A207B747970653A20696E742C20696E70757442696E64696E673A207B706F736974696F6E3A20327D7D0A20207374646F75743A20616C6C2E7478740A20206F7574707574733A207B616C6C3A207374646F75747D0A');
CREATE TABLE tokens (
  hash TEXT PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  created INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO "tokens" VALUES('0fc4f2dbdbaf590db4f0fd89740abb1f2d233bcc13134dbc0b8df026a8457935','default','laptop',1740838825816505);
CREATE INDEX jobs_listed
  ON jobs (namespace, created, n, status, process, started, finished, hidden);
CREATE INDEX jobs_of_process
  ON jobs (namespace, process, created, n, status, started, finished, hidden);
CREATE INDEX jobs_open ON jobs (owner, n) WHERE status IN ('accepted', 'running');
CREATE INDEX outbox_due ON outbox (due);
CREATE INDEX processes_from ON processes (namespace, entry) WHERE current = 1 AND entry <> '';
COMMIT;
