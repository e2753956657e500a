//! Kills processes and the server at the named phases, and stops workers beyond their lease; starts new ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use yuanfen_inbox::{EventFilter, EventState, Inbox};
use yuanfen_testkit::PostgresServer;

use super::Trouble;
use super::database::Place;
use super::dice::Dice;
use super::kills::Kills;
use super::pace::Pace;
use super::process::{Launch, Process, Role};
use super::sender::Sender;
use super::stops::{OF_RECEIVERS, PHASES};

/// How long until an event reaches a phase before more deliveries are let through.
const SOON: Duration = Duration::from_secs(2);
/// How long until the run has failed because none does.
const GIVE_UP: Duration = Duration::from_secs(90);
/// How long another worker may take until it has taken what a stopped one had.
const OVERTAKING: Duration = Duration::from_secs(30);
/// Of the kills of a PostgreSQL run, every so manieth is the server's.
const SERVERS: u64 = 4;
/// After every so many kills a worker is stopped beyond its lease.
const STOPS: u64 = 5;

/// The processes of a run.
pub(super) struct Fleet {
    launch: Launch,
    receivers: Vec<Process>,
    workers: Vec<Process>,
}

impl Fleet {
    pub(super) async fn start(launch: Launch, receivers: usize, workers: usize) -> Result<Self, Trouble> {
        let mut fleet = Self {
            launch,
            receivers: Vec::new(),
            workers: Vec::new(),
        };
        for _ in 0..receivers {
            fleet.receivers.push(fleet.launch.start(Role::Receiver).await?);
        }
        for _ in 0..workers {
            fleet.workers.push(fleet.launch.start(Role::Worker).await?);
        }
        Ok(fleet)
    }

    pub(super) fn ports(&self) -> Vec<u16> {
        self.receivers.iter().map(|receiver| receiver.port).collect()
    }

    /// Whose phase that is.
    fn of_phase(&mut self, phase: usize) -> &mut Vec<Process> {
        if phase < OF_RECEIVERS {
            &mut self.receivers
        } else {
            &mut self.workers
        }
    }

    /// Ends all of them as they would end by themselves.
    ///
    /// # Errors
    /// When one does not, or not well.
    pub(super) async fn finish(self) -> Result<(), Trouble> {
        for process in self.receivers.into_iter().chain(self.workers) {
            process.finish().await?;
        }
        Ok(())
    }
}

pub(super) struct Killer<S> {
    pub(super) inbox: Inbox<S>,
    pub(super) server: Option<Arc<PostgresServer>>,
    pub(super) fleet: Fleet,
    pub(super) sender: Arc<Sender>,
    pub(super) pace: Arc<Pace>,
    pub(super) kills: Arc<Kills>,
    pub(super) dice: Dice,
}

/// So often something is killed or stopped in a run of so many kills.
pub(super) const fn blows(kills: u64) -> u64 {
    kills + kills / STOPS
}

impl<S: Place> Killer<S> {
    /// As often as asked for, each phase as often as the others; hands the processes back.
    pub(super) async fn run(mut self, times: u64) -> Result<Fleet, Trouble> {
        let mut plan: Vec<(usize, bool)> = (0..PHASES.len())
            .cycle()
            .zip(0..times)
            .map(|(phase, kill)| (phase, self.server.is_some() && kill % SERVERS == SERVERS - 1))
            .collect();
        self.dice.shuffle(&mut plan);
        let mut blow = 0;
        for (kill, (phase, is_server)) in (0_u64..).zip(plan) {
            self.pace.reach(blow).await;
            if is_server {
                self.kill_server(phase).await?;
            } else {
                self.kill_process(phase).await?;
            }
            self.pace.next_window();
            blow += 1;
            if kill % STOPS == STOPS - 1 {
                self.pace.reach(blow).await;
                self.stop_worker().await?;
                self.pace.next_window();
                blow += 1;
            }
        }
        Ok(self.fleet)
    }

    async fn kill_process(&mut self, phase: usize) -> Result<(), Trouble> {
        let (index, mut process) = self.choose(phase)?;
        let name = phase_name(phase);
        // A commit is hit in the middle only if it goes on while the kill is on its way. The first kill comes before it, or on
        // a busy machine all of them might come after it.
        let is_last = phase == PHASES.len() - 1;
        let races = is_last && !self.kills.none_at_commits();
        let order = if races {
            format!("pass {name} {}", self.dice.below(4000))
        } else {
            format!("hang {name}")
        };
        process.order(&order)?;
        let key = self.wait_at(&mut process, phase).await?;
        if races && self.dice.one_in(3) {
            tokio::time::sleep(Duration::from_millis(self.dice.below(5))).await;
        }
        if !process.kill()? {
            return Err(format!("a process ended by itself at {name} {key}").into());
        }
        // What the kernel or the server still has of it comes to its end.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let is_done = self.is_done(&key).await?;
        self.kills.note_process(phase, is_done);
        let role = process.role;
        drop(process);
        let fresh = self.launch(role).await?;
        self.fleet.of_phase(phase).insert(index, fresh);
        self.sender.set_ports(self.fleet.ports());
        Ok(())
    }

    /// The process goes on; its database does not.
    async fn kill_server(&mut self, phase: usize) -> Result<(), Trouble> {
        let server = Arc::clone(self.server.as_ref().ok_or("there is no server")?);
        let (index, mut process) = self.choose(phase)?;
        process.order(&format!("pass {} {}", phase_name(phase), self.dice.below(6000)))?;
        self.wait_at(&mut process, phase).await?;
        let down = Duration::from_millis(self.dice.below(700));
        tokio::task::spawn_blocking(move || {
            server.kill_immediately();
            std::thread::sleep(down);
            server.restart();
        })
        .await?;
        self.kills.note_server(phase);
        self.fleet.of_phase(phase).insert(index, process);
        Ok(())
    }

    /// A worker that has claimed an event sleeps beyond its lease, another takes the event, and the first wakes up.
    async fn stop_worker(&mut self) -> Result<(), Trouble> {
        const CLAIMED: usize = OF_RECEIVERS;

        let (index, mut process) = self.choose(CLAIMED)?;
        process.order("wait claimed")?;
        let key = self.wait_at(&mut process, CLAIMED).await?;
        process.signal("STOP")?;
        let deadline = Instant::now() + OVERTAKING;
        let mut is_overtaken = false;
        while !is_overtaken && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
            is_overtaken = self.state(&key).await? != Some(EventState::Ready);
        }
        // The order is in its pipe when it wakes up.
        process.order("go")?;
        process.signal("CONT")?;
        self.kills.note_stop(is_overtaken);
        self.fleet.of_phase(CLAIMED).insert(index, process);
        Ok(())
    }

    /// Takes one of those to whom that phase belongs.
    fn choose(&mut self, phase: usize) -> Result<(usize, Process), Trouble> {
        let processes = self.fleet.of_phase(phase);
        if processes.is_empty() {
            return Err("there is no process left".into());
        }
        let index = self.dice.place(processes.len());
        Ok((index, processes.remove(index)))
    }

    /// Waits until an event is at that phase in that process; its key.
    async fn wait_at(&self, process: &mut Process, phase: usize) -> Result<String, Trouble> {
        let name = phase_name(phase);
        let deadline = Instant::now() + GIVE_UP;
        while Instant::now() < deadline {
            let Some(line) = process.hear(SOON).await? else {
                self.pace.next_window();
                continue;
            };
            match line.strip_prefix("at ").and_then(|rest| rest.split_once(' ')) {
                Some((at, key)) if at == name => return Ok(key.to_owned()),
                _ => return Err(format!("a {:?} says `{line}`", process.role).into()),
            }
        }
        Err(format!("no event has reached {name} in {} s", GIVE_UP.as_secs()).into())
    }

    /// A new process, as whoever watches over a shop's processes would start it: again if it does not come up.
    async fn launch(&self, role: Role) -> Result<Process, Trouble> {
        const TRIES: u32 = 5;

        let mut tries = 1;
        loop {
            match self.fleet.launch.start(role).await {
                Ok(process) => return Ok(process),
                Err(error) if tries == TRIES => return Err(error),
                Err(_) => tries += 1,
            }
        }
    }

    async fn is_done(&self, key: &str) -> Result<bool, Trouble> {
        Ok(self.state(key).await? == Some(EventState::Done))
    }

    /// Where the event of that key is, once the database answers.
    async fn state(&self, key: &str) -> Result<Option<EventState>, Trouble> {
        let (_, subject) = key.rsplit_once('/').ok_or("a key without a subject")?;
        let mut filter = EventFilter::default();
        filter.subject = Some(subject.to_owned());
        let deadline = Instant::now() + OVERTAKING;
        loop {
            match self.inbox.events(&filter).await {
                Ok(events) => {
                    let event = events.iter().find(|event| event.key.to_string() == key);
                    return Ok(event.map(|event| event.state));
                }
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }
}

fn phase_name(phase: usize) -> &'static str {
    PHASES.get(phase).map_or("", |(_, name)| name)
}
