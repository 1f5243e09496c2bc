//! The operations that send.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rocketmq::conf::{ClientOption, ProducerOption};
use rocketmq::model::message::{Message, MessageBuilder};
use rocketmq::model::transaction::{Transaction, TransactionResolution};
use rocketmq::Producer;
use tokio::sync::{OnceCell, Semaphore};

use crate::content::Series;
use crate::wire::{Answer, Args};
use crate::Outcome;

type Asked = Arc<Mutex<Vec<String>>>;

pub struct Producing {
    options: ClientOption,
    producers: Mutex<HashMap<String, Arc<OnceCell<Arc<Producer>>>>>, // by topic
    asked: Mutex<HashMap<String, Asked>>, // ids of half messages that checkers were asked about, by topic
}

impl Producing {
    pub fn new(options: ClientOption) -> Producing {
        Producing { options, producers: Mutex::default(), asked: Mutex::default() }
    }

    pub async fn start(&self, args: &Args) -> Outcome {
        self.producer(args).await?;
        Ok(Answer::default())
    }

    /// The producer of a topic, started at the first use.
    async fn producer(&self, args: &Args) -> Result<Arc<Producer>, rocketmq::error::ClientError> {
        let cell = self.producers.lock().unwrap().entry(args.text("topic").into()).or_default().clone();
        cell.get_or_try_init(|| self.start_producer(args)).await.cloned()
    }

    async fn start_producer(&self, args: &Args) -> Result<Arc<Producer>, rocketmq::error::ClientError> {
        let mut option = ProducerOption::default();
        option.set_topics(vec![args.text("topic")]);
        let mut producer = match args.text("check") {
            "" => Producer::new(option, self.options.clone())?,
            check => {
                let asked = Asked::default();
                self.asked.lock().unwrap().insert(args.text("topic").into(), asked.clone());
                let says = check.split(',').map(String::from).collect();
                Producer::new_transaction_producer(option, self.options.clone(), Box::new(move |_, view| {
                    answer_check(&asked, &says, view.message_id())
                }))?
            }
        };
        producer.start().await?;
        Ok(Arc::new(producer))
    }

    pub fn asked(&self, args: &Args) -> Answer {
        let asked = self.asked.lock().unwrap().get(args.text("topic")).cloned().unwrap_or_default();
        let ids = asked.lock().unwrap();
        ids.iter().fold(Answer::default().add("count", ids.len()), |answer, id| answer.add("id", id))
    }

    pub async fn send(&self, args: &Args) -> Outcome {
        let producer = self.producer(args).await?;
        let receipt = producer.send(message(args, args.number("index"), false)?).await?;
        Ok(Answer::default().add("id", receipt.message_id()))
    }

    /// Sends without waiting for the answers, inflight at a time.
    pub async fn send_series(&self, args: Arc<Args>) -> Outcome {
        let producer = self.producer(&args).await?;
        let room = Arc::new(Semaphore::new(args.number("inflight")));
        let begin = Instant::now();
        let mut sends = Vec::new();
        for index in 0..args.number("count") {
            let permit = room.clone().acquire_owned().await?;
            let (producer, message) = (producer.clone(), message(&args, index, false)?);
            sends.push(tokio::spawn(async move {
                let _permit = permit;
                producer.send(message).await
            }));
        }
        let (mut sent, mut failures) = (0, Vec::new());
        for send in sends {
            match send.await? {
                Ok(_) => sent += 1,
                Err(e) => failures.push(e.to_string()),
            }
        }
        Ok(Answer::default().add("sent", sent).add("failed", failures.len())
            .add("failure", failures.last().map_or("", String::as_str)).add("millis", begin.elapsed().as_millis()))
    }

    /// Sends a half message, and decides about it when there is a verdict.
    pub async fn transact(&self, args: &Args) -> Outcome {
        let producer = self.producer(args).await?;
        let transaction = producer.send_transaction_message(message(args, args.number("index"), true)?).await?;
        let answer = Answer::default().add("id", transaction.message_id());
        match args.text("verdict") {
            "commit" => transaction.commit().await?,
            "rollback" => transaction.rollback().await?,
            _ => {}
        }
        Ok(answer)
    }

    pub async fn close(&self) {
        let cells: Vec<_> = self.producers.lock().unwrap().drain().collect();
        for (_, cell) in cells {
            if let Some(producer) = Arc::into_inner(cell).and_then(OnceCell::into_inner).and_then(Arc::into_inner) {
                let _ = producer.shutdown().await; // its proxy may be gone
            }
        }
    }
}

/// What a checker says, one after the other; the last for ever.
fn answer_check(asked: &Mutex<Vec<String>>, says: &Vec<String>, id: &str) -> TransactionResolution {
    let mut ids = asked.lock().unwrap();
    let before = ids.iter().filter(|other| *other == id).count();
    ids.push(id.into());
    match says[before.min(says.len() - 1)].as_str() {
        "commit" => TransactionResolution::COMMIT,
        "rollback" => TransactionResolution::ROLLBACK,
        _ => TransactionResolution::UNKNOWN,
    }
}

/// A message of a series with what a call adds.
fn message(args: &Args, index: u64, half: bool) -> Result<impl Message, rocketmq::error::ClientError> {
    let mut content = Series::of(args).at(index);
    content.properties.extend(args.starting_with("p.").map(|(name, value)| (name.into(), value.into())));
    let mut builder = MessageBuilder::builder().set_topic(args.text("topic")).set_body(content.body).set_tag(content.tag)
        .set_keys(content.keys).set_properties(content.properties);
    if half {
        builder = builder.enable_transaction();
    }
    if !args.text("messagegroup").is_empty() {
        builder = builder.set_message_group(args.text("messagegroup"));
    }
    if !args.text("due").is_empty() {
        builder = builder.set_delivery_timestamp(args.number::<i64>("due") / 1000); // the client has seconds
    }
    builder.build()
}
