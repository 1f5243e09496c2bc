//! The operations that receive.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rocketmq::conf::{ClientOption, SimpleConsumerOption};
use rocketmq::model::common::{FilterExpression, FilterType};
use rocketmq::model::message::MessageView;
use rocketmq::SimpleConsumer;

use crate::content::Content;
use crate::wire::{Answer, Args};
use crate::Outcome;

/// A simple consumer and the messages it holds, by id.
struct Simple {
    consumer: SimpleConsumer,
    topic: String,
    filter: FilterExpression,
    held: Mutex<HashMap<String, Arc<MessageView>>>,
}

pub struct Consuming {
    options: ClientOption,
    simple: Mutex<HashMap<String, Arc<Simple>>>, // by group
}

impl Consuming {
    pub fn new(options: ClientOption) -> Consuming {
        Consuming { options, simple: Mutex::default() }
    }

    pub async fn start_simple(&self, args: &Args) -> Outcome {
        let mut options = self.options.clone();
        options.set_long_polling_timeout(Duration::from_millis(args.number("await")));
        let mut option = SimpleConsumerOption::default();
        option.set_consumer_group(args.text("group"));
        option.set_topics(vec![args.text("topic")]);
        let mut consumer = SimpleConsumer::new(option, options)?;
        consumer.start().await?;
        let filter_type = if args.text("sql") == "true" { FilterType::Sql } else { FilterType::Tag };
        let simple = Simple {
            consumer,
            topic: args.text("topic").into(),
            filter: FilterExpression::new(filter_type, args.text("filter")),
            held: Mutex::default(),
        };
        self.simple.lock().unwrap().insert(args.text("group").into(), Arc::new(simple));
        Ok(Answer::default())
    }

    fn of(&self, args: &Args) -> Result<Arc<Simple>, String> {
        self.simple.lock().unwrap().get(args.text("group")).cloned().ok_or("no such simple consumer".into())
    }

    pub async fn receive(&self, args: &Args) -> Outcome {
        let simple = self.of(args)?;
        let invisible = Duration::from_millis(args.number("invisible"));
        let views = simple.consumer.receive_with(&simple.topic, &simple.filter, args.number("max"), invisible).await?;
        let mut answer = Answer::default();
        let mut held = simple.held.lock().unwrap();
        for view in views {
            answer = answer.add("message", told(&view));
            held.insert(view.message_id().into(), Arc::new(view));
        }
        Ok(answer)
    }

    pub async fn ack(&self, args: &Args) -> Outcome {
        let simple = self.of(args)?;
        let view = simple.held.lock().unwrap().get(args.text("id")).cloned().ok_or("no such message held")?;
        simple.consumer.ack(&*view).await?;
        Ok(Answer::default())
    }

    pub async fn close(&self) {
        let all: Vec<_> = self.simple.lock().unwrap().drain().collect();
        for (_, simple) in all {
            if let Some(simple) = Arc::into_inner(simple) {
                let _ = simple.consumer.shutdown().await; // its proxy may be gone
            }
        }
    }
}

/// A message as an answer has it.
fn told(view: &MessageView) -> String {
    let content = Content {
        body: view.body().into(),
        tag: view.tag().unwrap_or_default().into(),
        keys: view.keys().into(),
        properties: view.properties().clone(),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    let mut answer = Answer::default().add("id", view.message_id()).add("topic", view.topic()).add("tag", &content.tag)
        .add("index", content.properties.get("index").map_or("", String::as_str))
        .add("attempt", view.delivery_attempt()).add("fingerprint", content.fingerprint()).add("at", now);
    if let Some(group) = view.message_group() {
        answer = answer.add("group", group);
    }
    if let Some(due) = view.delivery_timestamp() {
        answer = answer.add("due", due * 1000);
    }
    answer.line()
}
