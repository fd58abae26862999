BEGIN TRANSACTION;
CREATE TABLE acknowledgements (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	target TEXT NOT NULL, 
	setting TEXT NOT NULL, 
	plan_id TEXT NOT NULL, 
	resource TEXT NOT NULL, 
	gives TEXT NOT NULL, 
	cidrs TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	note TEXT NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT acknowledgements_plan_id_fkey FOREIGN KEY(plan_id) REFERENCES plans (id)
)
 STRICT

;
INSERT INTO "acknowledgements" VALUES(1,'edge','done','aaaa00000001','done','token','["192.0.2.0/24"]','ada','seen in the console','2026-11-23T10:00:00.000000Z');
CREATE TABLE adoptions (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	instance TEXT NOT NULL, 
	version TEXT NOT NULL, 
	adopted_at TEXT NOT NULL, 
	CONSTRAINT adoptions_instance_version_fkey FOREIGN KEY(instance, version) REFERENCES snapshots (instance, version)
)
 STRICT

;
INSERT INTO "adoptions" VALUES(1,'Worldwide','2026010100','2026-11-23T10:00:00.000000Z');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE approvals (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	plan_id TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	why TEXT NOT NULL, 
	at TEXT NOT NULL, 
	spent_at TEXT, 
	CONSTRAINT approvals_plan_id_fkey FOREIGN KEY(plan_id) REFERENCES plans (id)
)
 STRICT

;
INSERT INTO "approvals" VALUES(1,'aaaa00000001','ada','checked with Microsoft','2026-11-23T10:00:00.000000Z',NULL);
CREATE TABLE channels (
	name TEXT NOT NULL, 
	collected INTEGER NOT NULL, 
	down_since TEXT, 
	failures INTEGER NOT NULL, 
	error TEXT NOT NULL, 
	sent_at TEXT, 
	CONSTRAINT channels_pkey PRIMARY KEY (name)
)
 STRICT

;
CREATE TABLE events (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	severity TEXT NOT NULL, 
	target TEXT, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	run_id INTEGER, 
	CONSTRAINT events_run_id_fkey FOREIGN KEY(run_id) REFERENCES runs (id)
)
 STRICT

;
INSERT INTO "events" VALUES(1,'2026-11-23T10:00:00.000000Z','applied','info','edge','1 step','{"n":1}',1);
CREATE TABLE feed (
	instance TEXT NOT NULL, 
	latest TEXT, 
	checked_at TEXT, 
	not_before TEXT, 
	failures INTEGER NOT NULL, 
	error TEXT NOT NULL, 
	CONSTRAINT feed_pkey PRIMARY KEY (instance)
)
 STRICT

;
INSERT INTO "feed" VALUES('Worldwide','2026010100','2026-11-23T10:00:00.000000Z','2026-11-23T10:00:00.000000Z',2,'no answer');
CREATE TABLE memories (
	target TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT memories_pkey PRIMARY KEY (target)
)
 STRICT

;
INSERT INTO "memories" VALUES('edge','{"ids":{"one":"eNo1"}}');
CREATE TABLE messages (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	"key" TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	thread TEXT NOT NULL, 
	severity TEXT NOT NULL, 
	events TEXT NOT NULL, 
	body TEXT, 
	state TEXT NOT NULL, 
	opened_at TEXT NOT NULL, 
	due_at TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	sent_at TEXT, 
	error TEXT NOT NULL
)
 STRICT

;
CREATE TABLE meta (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT meta_pkey PRIMARY KEY (name)
)
 STRICT

;
INSERT INTO "meta" VALUES('client_id','11111111-2222-4333-8444-555555555555');
CREATE TABLE pauses (
	target TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	why TEXT NOT NULL, 
	at TEXT NOT NULL, 
	CONSTRAINT pauses_pkey PRIMARY KEY (target)
)
 STRICT

;
INSERT INTO "pauses" VALUES('other','ada','moving house','2026-11-23T10:00:00.000000Z');
CREATE TABLE plans (
	id TEXT NOT NULL, 
	target TEXT NOT NULL, 
	version TEXT NOT NULL, 
	adopting INTEGER NOT NULL, 
	ingredients TEXT NOT NULL, 
	body TEXT NOT NULL, 
	refused INTEGER NOT NULL, 
	run_id INTEGER, 
	status TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	last_seen_at TEXT NOT NULL, 
	closed_at TEXT, 
	superseded_by TEXT, 
	CONSTRAINT plans_pkey PRIMARY KEY (id), 
	CONSTRAINT plans_run_id_fkey FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT plans_superseded_by_fkey FOREIGN KEY(superseded_by) REFERENCES plans (id)
)
 STRICT

;
INSERT INTO "plans" VALUES('aaaa00000001','edge','2026010100',0,'{"observed":"o","version":"v"}','{"id":"aaaa00000001","steps":[{"summary":"write the file"}]}',1,1,'open','2026-11-23T10:00:00.000000Z','2026-11-23T10:00:00.000000Z',NULL,NULL);
CREATE TABLE runs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	command TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	finished_at TEXT, 
	last_at TEXT NOT NULL, 
	outcome TEXT, 
	version TEXT, 
	report TEXT, 
	fingerprint TEXT NOT NULL, 
	repeats INTEGER NOT NULL, 
	error TEXT NOT NULL
, scope TEXT DEFAULT '' NOT NULL)
 STRICT

;
INSERT INTO "runs" VALUES(1,'sync','2026-11-23T10:00:00.000000Z','2026-11-23T10:00:00.000000Z','2026-11-23T10:00:00.000000Z','applied','2026010100','{"n":[1]}','f',0,'','');
CREATE TABLE service (
	name TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	host TEXT NOT NULL, 
	version TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	beat_at TEXT NOT NULL, 
	stopped_at TEXT, 
	CONSTRAINT service_pkey PRIMARY KEY (name)
)
 STRICT

;
INSERT INTO "service" VALUES('serve',4711,'mail1','0.1.0','2026-11-23T10:00:00.000000Z','2026-11-23T10:00:00.000000Z',NULL);
CREATE TABLE snapshots (
	instance TEXT NOT NULL, 
	version TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	body BLOB NOT NULL, 
	fetched_at TEXT NOT NULL, 
	source TEXT NOT NULL, 
	CONSTRAINT snapshots_pkey PRIMARY KEY (instance, version)
)
 STRICT

;
INSERT INTO "snapshots" VALUES('Worldwide','2026010100','bb41eeeedb7789a3482cc74a1ac8d84effb2a508b753948130e3958c39004120',X'78DA8BAE56CA4C51B232AC8D050011AE032D','2026-11-23T10:00:00.000000Z','https://endpoints.example/endpoints/Worldwide');
CREATE TABLE steps (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	run_id INTEGER NOT NULL, 
	plan_id TEXT NOT NULL, 
	target TEXT NOT NULL, 
	resource TEXT NOT NULL, 
	summary TEXT NOT NULL, 
	expects TEXT NOT NULL, 
	gives TEXT NOT NULL, 
	intended_at TEXT NOT NULL, 
	outcome TEXT, 
	concluded_at TEXT, 
	error TEXT NOT NULL, 
	CONSTRAINT steps_run_id_fkey FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT steps_plan_id_fkey FOREIGN KEY(plan_id) REFERENCES plans (id)
)
 STRICT

;
INSERT INTO "steps" VALUES(1,1,'aaaa00000001','edge','/etc/exo.cidr','write the file','absent','token','2026-11-23T10:00:00.000000Z','done','2026-11-23T10:00:00.000000Z','');
CREATE TABLE targets (
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	mode TEXT NOT NULL, 
	state TEXT NOT NULL, 
	since TEXT NOT NULL, 
	version TEXT, 
	resources TEXT NOT NULL, 
	"plan" TEXT, 
	verified INTEGER, 
	verified_at TEXT, 
	seen_at TEXT, 
	failures INTEGER NOT NULL, 
	error TEXT NOT NULL, 
	report TEXT NOT NULL, 
	CONSTRAINT targets_pkey PRIMARY KEY (name)
)
 STRICT

;
INSERT INTO "targets" VALUES('edge','file','apply','in_sync','2026-11-23T10:00:00.000000Z','2026010100','{"/etc/exo.cidr":"token"}','aaaa00000001',1,'2026-11-23T10:00:00.000000Z','2026-11-23T10:00:00.000000Z',0,'','{"name":"edge","steps":[]}');
CREATE TABLE tasks (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	target TEXT NOT NULL, 
	setting TEXT NOT NULL, 
	plan_id TEXT NOT NULL, 
	resource TEXT NOT NULL, 
	gives TEXT NOT NULL, 
	body TEXT NOT NULL, 
	opened_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	due_at TEXT NOT NULL, 
	reminded_at TEXT, 
	reminders INTEGER NOT NULL, 
	claimed_by TEXT, 
	claimed_at TEXT, 
	closed_at TEXT, 
	outcome TEXT, 
	CONSTRAINT tasks_plan_id_fkey FOREIGN KEY(plan_id) REFERENCES plans (id)
)
 STRICT

;
INSERT INTO "tasks" VALUES(1,'edge','done','aaaa00000001','done','token','{"added":["192.0.2.0/24"],"box":"192.0.2.0/24","confirmation":"acknowledged","delay":"0s","ranges":["192.0.2.0/24"],"title":"list the ranges"}','2026-11-23T10:00:00.000000Z','2026-11-23T10:00:00.000000Z','2026-11-23T10:00:00.000000Z',NULL,0,NULL,NULL,'2026-11-23T10:00:00.000000Z','acknowledged');
INSERT INTO "tasks" VALUES(2,'edge','waiting','aaaa00000001','waiting','token','{"added":["192.0.2.0/24"],"box":"192.0.2.0/24","confirmation":"acknowledged","delay":"0s","ranges":["192.0.2.0/24"],"title":"list the ranges"}','2026-11-23T10:00:00.000000Z','2026-11-23T10:00:00.000000Z','2026-11-23T10:00:00.000000Z',NULL,0,NULL,NULL,NULL,NULL);
CREATE TABLE triggers (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	target TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	at TEXT NOT NULL, 
	taken_at TEXT
)
 STRICT

;
INSERT INTO "triggers" VALUES(1,'other','ada','2026-11-23T10:00:00.000000Z',NULL);
CREATE TABLE turns (
	name TEXT NOT NULL, 
	next_at TEXT, 
	started_at TEXT, 
	took_ms INTEGER, 
	CONSTRAINT turns_pkey PRIMARY KEY (name)
)
 STRICT

;
INSERT INTO "turns" VALUES('edge','2026-11-23T10:00:00.000000Z',NULL,1500);
INSERT INTO "turns" VALUES('other',NULL,NULL,NULL);
CREATE INDEX adoptions_instance_id_idx ON adoptions (instance, id);
CREATE INDEX runs_command_id_idx ON runs (command, id);
CREATE INDEX runs_unfinished_idx ON runs (id) WHERE finished_at IS NULL;
CREATE INDEX plans_run_id_idx ON plans (run_id);
CREATE INDEX plans_open_idx ON plans (target) WHERE status = 'open';
CREATE INDEX approvals_plan_id_id_idx ON approvals (plan_id, id);
CREATE INDEX steps_run_id_idx ON steps (run_id);
CREATE INDEX steps_plan_id_idx ON steps (plan_id);
CREATE INDEX steps_target_intended_at_idx ON steps (target, intended_at);
CREATE INDEX steps_unfinished_idx ON steps (target) WHERE outcome IS NULL;
CREATE INDEX events_kind_id_idx ON events (kind, id);
CREATE INDEX events_run_id_idx ON events (run_id);
CREATE INDEX tasks_plan_id_idx ON tasks (plan_id);
CREATE INDEX tasks_target_setting_id_idx ON tasks (target, setting, id);
CREATE INDEX tasks_open_idx ON tasks (target) WHERE closed_at IS NULL;
CREATE INDEX acknowledgements_plan_id_idx ON acknowledgements (plan_id);
CREATE INDEX acknowledgements_target_setting_id_idx ON acknowledgements (target, setting, id);
CREATE INDEX events_target_id_idx ON events (target, id);
CREATE INDEX triggers_open_idx ON triggers (id) WHERE taken_at IS NULL;
CREATE INDEX messages_channel_id_idx ON messages (channel, id);
CREATE INDEX messages_channel_thread_id_idx ON messages (channel, thread, id);
CREATE INDEX messages_open_idx ON messages (channel) WHERE state IN ('open', 'waiting');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('adoptions',1);
INSERT INTO "sqlite_sequence" VALUES('runs',1);
INSERT INTO "sqlite_sequence" VALUES('approvals',1);
INSERT INTO "sqlite_sequence" VALUES('steps',1);
INSERT INTO "sqlite_sequence" VALUES('tasks',2);
INSERT INTO "sqlite_sequence" VALUES('acknowledgements',1);
INSERT INTO "sqlite_sequence" VALUES('triggers',1);
INSERT INTO "sqlite_sequence" VALUES('events',1);
COMMIT;
